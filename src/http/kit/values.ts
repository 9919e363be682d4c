/** Values that several envelopes have in common, as schemas. */
import { z } from "zod";
import { PRESETS } from "../../model/preset.ts";
import { cronFault } from "../../model/schedule.ts";

/** The envelope of a request that needs no words: empty, or not there. */
export const NO_FIELDS = z.strictObject({}).meta({ id: "NoFields" });

/**
 * Text for people, as it can be kept and shown in one line: no control characters, no halves of characters, and nothing
 * that ends the line or turns around what stands behind it.
 */
export const LINE = z.string().trim().regex(
  /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]*$/u,
  "should have no control characters, no direction overrides and no unpaired surrogates",
);

/** What people call a thing. */
export const NAME = LINE.min(1, "should not be empty").max(254, "should have at most 254 characters")
  .meta({ id: "Name", examples: ["HR file"] });

/** What a thing is called in URLs. */
export const SLUG = z.string().regex(
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  "should be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end",
);

export const TIMEZONE = z.string().refine(isTimezone, "should be an IANA time zone, like Europe/Berlin");

/** When a connection fetches by itself. */
export const SCHEDULE = z.union([
  z.strictObject({
    cron: z.string().trim().max(100).superRefine((text, context) => {
      const fault = cronFault(text);
      if (fault !== null) context.addIssue(fault);
    }).meta({ examples: ["0 3 * * *"] }),
    timezone: TIMEZONE.optional().meta({ description: "The organization's by default", examples: ["Europe/Berlin"] }),
  }),
  z.strictObject({ every_minutes: z.int().min(1).max(10_080) }),
], 'should be like {"cron": "0 3 * * *"} or {"every_minutes": 30}').meta({
  examples: [{ cron: "0 3 * * *", timezone: "Europe/Berlin" }],
});

/** By when a connection's feed should have come. */
export const EXPECTED_BY = z.strictObject({
  time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "should be a time of day, like 06:30").meta({
    examples: ["06:30"],
  }),
  timezone: TIMEZONE.optional().meta({ description: "The organization's by default", examples: ["Europe/Berlin"] }),
  days: z.array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])).min(1, "should name at least one day").max(7)
    .optional().meta({ description: "Every day by default" }),
}).meta({ examples: [{ time: "06:30", days: ["mon", "tue", "wed", "thu", "fri"] }] });

/** What a run is to do with its plan. */
export const MODE = z.enum(["auto", "plan"]);
export const ENTITY = z.enum(["users", "departments"]);

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

/** Names of the sets of headers and defaults that a connection can start from. */
export const PRESET = z.enum(Object.keys(PRESETS) as (keyof typeof PRESETS)[]);

/** What a drop was called where it came from: a file's name, never a path. */
export const DROP_NAME = z.string().transform((name) => name.replace(/^.*[/\\]/, "").trim()).pipe(
  LINE.min(1, "should not be empty").max(255, "should have at most 255 characters"),
);
