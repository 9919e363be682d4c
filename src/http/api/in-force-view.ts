/** What is in force for a connection, as the API shows it: every value with what it comes from. */
import { z } from "zod";
import type { Schedule } from "../../model/connection.ts";
import { ORIGINS } from "../../model/layers.ts";
import type { When } from "../../model/sftp.ts";
import type { AllInForce } from "../../runs/in-force.ts";

const VALUE = z.strictObject({ value: z.unknown(), from: z.enum(ORIGINS) })
  .meta({ id: "ValueInForce", examples: [{ value: "full", from: "preset" }] });
const VALUES = z.record(z.string(), VALUE);

export const IN_FORCE = z.strictObject({
  settings: VALUES,
  folder: VALUE.nullable().meta({ description: "Where files are dropped", examples: [null] }),
  when: VALUE.nullable().meta({
    description: "When files are taken (`at_once`, `every_minutes`, `daily_at`), or the source is fetched",
    examples: [null],
  }),
  key: VALUE.meta({ description: "A null value: the first input decides" }),
  policy: VALUES,
  limits: z.record(z.string(), VALUES),
}).meta({
  id: "InForce",
  description: "What runs go by, and what each value comes from. Not in lists",
  examples: [{
    settings: {},
    folder: null,
    when: null,
    key: { value: "mobile_phone", from: "preset" },
    policy: {},
    limits: {},
  }],
});

export function viewInForce({ when, ...rest }: AllInForce): z.infer<typeof IN_FORCE> {
  return { ...rest, when: when && { value: when.value && viewWhen(when.value), from: when.from } };
}

/** Times under the names of the settings that set them. */
function viewWhen(when: When | Schedule): unknown {
  if (!("kind" in when)) return when;
  switch (when.kind) {
    case "at_once":
      return "at_once";
    case "every":
      return { every_minutes: when.minutes };
    case "daily":
      return { daily_at: when.at, time_zone: when.timeZone };
  }
}
