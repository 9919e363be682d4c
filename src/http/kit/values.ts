/** Schemas of values that several requests have in common. */
import { z } from "zod";
import { charsetProblem } from "../../model/charset.ts";
import { PRESETS } from "../../model/preset.ts";
import { cronFault } from "../../model/schedule.ts";
import { parseInstant } from "../../std/time.ts";

/** The body of a request that needs none: an empty object, or nothing. */
export const NO_FIELDS = z.strictObject({}).meta({ id: "NoFields" });

/**
 * Text for people that fits into one line: no control characters, no unpaired surrogates, nothing that ends the line,
 * and nothing that reverses the direction of the text after it.
 */
export const LINE = z.string().trim().regex(
  /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069]*$/u,
  "should have no control characters, no direction overrides and no unpaired surrogates",
);

/** The name that people give a thing. */
export const NAME = LINE.min(1, "should not be empty").max(254, "should have at most 254 characters")
  .meta({ id: "Name", examples: ["HR file"] });

/** The name of a thing in URLs. */
export const SLUG = z.string().regex(
  /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  "should be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end",
);

export const TIMEZONE = z.string().refine(isTimezone, "should be an IANA time zone, like Europe/Berlin");

export const EMAIL = z.email("should be an email, like hr@acme.test");

/** An address that is known to be somebody's, whatever case it is written in. */
export const ADDRESS = z.string().trim().toLowerCase().max(254, "should have at most 254 characters").pipe(EMAIL);

const schedule = () =>
  z.union([
    z.strictObject({
      cron: z.string().trim().max(100).superRefine((text, context) => {
        const fault = cronFault(text);
        if (fault !== null) context.addIssue(fault);
      }).meta({ examples: ["0 3 * * *"] }),
      timezone: TIMEZONE.optional().meta({ description: "The organization's by default", examples: ["Europe/Berlin"] }),
    }),
    z.strictObject({ every_minutes: z.int().min(1).max(10_080) }),
  ], 'should be like {"cron": "0 3 * * *"} or {"every_minutes": 30}');

/** When a connection fetches without being asked to. */
export const SCHEDULE = schedule().meta({
  id: "ScheduleInput",
  examples: [{ cron: "0 3 * * *", timezone: "Europe/Berlin" }],
});

/** The same in answers. */
export const SCHEDULE_SHOWN = schedule().meta({ id: "Schedule", examples: [{ every_minutes: 30 }] });

/** The time of day by which a connection's input should have arrived. */
export const EXPECTED_BY = z.strictObject({
  time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "should be a time of day, like 06:30").meta({
    examples: ["06:30"],
  }),
  timezone: TIMEZONE.optional().meta({ description: "The organization's by default", examples: ["Europe/Berlin"] }),
  days: z.array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])).min(1, "should name at least one day").max(7)
    .optional().meta({ description: "Every day by default" }),
}).meta({ examples: [{ time: "06:30", days: ["mon", "tue", "wed", "thu", "fri"] }] });

/** Whether a run applies its plan or waits for approval. */
export const MODE = z.enum(["auto", "plan"]);
export const ENTITY = z.enum(["users", "departments"]);
/** Whether the input is an edit by hand, in a body and in a query. */
export const BY_HAND = z.boolean().optional();
export const BY_HAND_QUERY = z.enum(["true", "false"]).optional().meta({ description: "An edit by hand" });
/** A label of an encoding, as it was sent. */
export const CHARSET = z.string().min(1).max(40).superRefine((label, context) => {
  const problem = charsetProblem(label);
  if (problem !== null) context.addIssue({ code: "custom", message: problem });
}).meta({ examples: ["windows-1252"] });

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

/** Vendors whose defaults a connection can start from. */
export const PRESET = z.enum(Object.keys(PRESETS) as (keyof typeof PRESETS)[]);

/** The file name of a drop at its sender. A path is cut down to its last part. */
export const DROP_NAME = z.string().transform((name) => name.replace(/^.*[/\\]/, "").trim()).pipe(
  LINE.min(1, "should not be empty").max(255, "should have at most 255 characters"),
);

/** A date or an instant; gives milliseconds since 1970. */
export const MOMENT = z.string().transform((text, context) => {
  const instant = parseInstant(text);
  if (instant !== null) return instant;
  context.addIssue("should be a date or an instant, like 2026-03-01T08:00:00Z");
  return z.NEVER;
});
