/** When a connection takes or fetches its input: in words, its next moments, and as a form. No I/O. */
import { html } from "hono/html";
import type { Schedule } from "../../model/connection.ts";
import { daily, nextMoment } from "../../model/schedule.ts";
import { count } from "../../notify/words.ts";
import type { Html } from "../pages/frame.ts";
import { type Typed, viewChoice, viewInput } from "./fields.ts";

/** As `in_force.when` of a connection has it. */
export type When = "at_once" | Schedule | { readonly daily_at: string; readonly time_zone: string } | null;

const DAILY = /^(\d{1,2}) (\d{1,2}) \* \* \*$/;

export function scheduleInWords(when: When): string {
  if (when === null) return "Not by itself, only when somebody asks for it";
  if (when === "at_once") return "As soon as a file is there as a whole";
  if ("daily_at" in when) return `Every day at ${when.daily_at} (${when.time_zone})`;
  if ("every_minutes" in when) return `Every ${count(when.every_minutes, "minute")}`;
  const zone = when.timezone === undefined ? "" : ` (${when.timezone})`;
  const time = timeOf(when.cron);
  return time === null ? `At the times of “${when.cron}”${zone}` : `Every day at ${time}${zone}`;
}

/** `03:00` of an expression that means each day; else null. */
function timeOf(cron: string): string | null {
  const [, minute, hour] = DAILY.exec(cron) ?? [];
  return hour === undefined ? null : `${hour.padStart(2, "0")}:${minute!.padStart(2, "0")}`;
}

/** The next moments, at most `n`; none where there is no fixed time. `anchor`: the start of intervals. */
export function momentsOf(
  when: When,
  { timezone, anchor, now }: { readonly timezone: string; readonly anchor: number; readonly now: number },
  n = 5,
): number[] {
  if (when === null || when === "at_once") return [];
  const next = "daily_at" in when
    ? daily({ time: when.daily_at, timezone: when.time_zone })
    : (after: number) => nextMoment(when, timezone, anchor, after);
  const moments: number[] = [];
  for (let after: number | null = now; moments.length < n && (after = next(after)) !== null;) moments.push(after);
  return moments;
}

const KINDS = [
  ["none", "Not by itself"],
  ["daily", "Every day, at this time"],
  ["every", "Again and again, after so many minutes"],
  ["cron", "By a cron expression"],
] as const;

/**
 * The fields of a schedule's form. `usual`: the connector's, which is filled in where there is none, and not chosen. `typed`:
 * what came with a refused form, which is shown again.
 */
export function viewScheduleFields(
  { schedule, usual, timezone }: {
    readonly schedule: Schedule | null;
    readonly usual: Schedule | null;
    readonly timezone: string;
  },
  typed: Typed,
): Html {
  const filled = schedule ?? usual;
  const cron = filled !== null && "cron" in filled ? filled : null;
  const time = cron === null ? null : timeOf(cron.cron);
  const kind = schedule === null ? "none" : cron === null ? "every" : time === null ? "cron" : "daily";
  return html`
    <fieldset><legend>When it runs by itself</legend>
      ${KINDS.map(([value, label]) => viewChoice({ type: "radio", name: "when", value, label }, [kind], typed))}
      ${viewInput({ name: "at", label: "Time of day", type: "time", value: time ?? "03:00" }, typed)}
      ${viewInput({
        name: "minutes",
        pointer: "/schedule/every_minutes",
        label: "Minutes between two runs",
        type: "number",
        value: filled !== null && "every_minutes" in filled ? String(filled.every_minutes) : "60",
      }, typed)}
      ${viewInput({
        name: "cron",
        pointer: "/schedule/cron",
        label: "Cron expression",
        hint:
          "Five fields: minute, hour, day of the month, month, day of the week. “30 5 * * 1-5” is 5:30 from Monday to Friday",
        value: cron?.cron ?? "",
      }, typed)}
      ${viewInput({
        name: "timezone",
        pointer: "/schedule/timezone",
        label: "Time zone of these times",
        hint: `Empty: the organization's, ${timezone}`,
        value: cron?.timezone ?? "",
      }, typed)}
    </fieldset>
  `;
}

/** The schedule that the form means, for the API to check, and what is wrong with it before. */
export function readSchedule(
  form: URLSearchParams,
): { readonly schedule: unknown; readonly errors: ReadonlyMap<string, string> } {
  const zone = (form.get("timezone") ?? "").trim(), timezone = zone === "" ? {} : { timezone: zone };
  const errors = new Map<string, string>();
  switch (form.get("when")) {
    case "daily": {
      const [, hour, minute] = /^(\d{1,2}):(\d{2})/.exec(form.get("at") ?? "") ?? [];
      if (hour === undefined) errors.set("at", "should be a time of day, like 03:00");
      return { schedule: { cron: `${Number(minute)} ${Number(hour)} * * *`, ...timezone }, errors };
    }
    case "every":
      return { schedule: { every_minutes: Number(form.get("minutes")) }, errors };
    case "cron":
      return { schedule: { cron: (form.get("cron") ?? "").trim(), ...timezone }, errors };
    default:
      return { schedule: null, errors };
  }
}
