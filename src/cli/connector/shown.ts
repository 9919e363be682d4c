/** What a try of a connector found, as lines for its author. Pure. */
import type { TrialRun } from "../../kit/trial.ts";
import type { ChangeView } from "../../model/change.ts";
import { printable } from "./text.ts";

/** Of a table; a file may have thousands. */
const SHOWN_ROWS = 200;

/** People and issues as tables, then what was done. */
export function linesOf(run: TrialRun): string[] {
  const issues = run.issues.map((issue) => [
    issue.severity,
    issue.code,
    issue.origin ?? String(issue.line ?? ""),
    issue.message,
  ]);
  const asked = run.requests.length === 0 ? "" : `, in ${run.requests.length} requests`;
  return [
    ...tableOf(["action", "who", "would be"], run.changes.map(rowOf)),
    ...(issues.length === 0 ? [] : ["", ...tableOf(["issue", "code", "where", "what"], issues)]),
    "",
    ...run.log.map((line) => `log: ${printable(line)}`),
    ...(run.unchanged === null ? [] : [`The source has nothing new: ${printable(run.unchanged)}`]),
    ...(run.error === null ? [] : [`Cannot read the source: ${printable(run.error.message)} (${run.error.code})`]),
    `${run.counts.read} read, ${run.counts.created} would be created, ${run.counts.failed} refused${asked}` +
    `${run.cut ? "; there may be more: see --limit" : ""}`,
    ...Object.entries(run.states).map(([entity, state]) => `State of ${entity}: ${JSON.stringify(state)}`),
  ];
}

function rowOf({ action, entity, subject, fields }: ChangeView): string[] {
  const values = Object.entries(fields).filter(([, { after }]) => after !== null)
    .map(([field, { after }]) => `${field}=${textOf(after)}`);
  return [`${action} ${entity}`, nameOf(subject), values.join(", ")];
}

function nameOf({ employee_id, email, name }: ChangeView["subject"]): string {
  return employee_id ?? email ?? name ?? "";
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What would be of each person and department, by the name that a table has of them. */
export type People = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Of those with the same name, the later ones get a number. */
export function peopleOf(run: TrialRun): People {
  const people = new Map<string, Record<string, string>>();
  for (const { entity, subject, fields } of run.changes) {
    const name = `${entity} ${nameOf(subject)}`;
    let who = name;
    for (let n = 2; people.has(who); n++) who = `${name} (${n})`;
    people.set(who, Object.fromEntries(Object.entries(fields).map(([field, { after }]) => [field, textOf(after)])));
  }
  return people;
}

/** What is different from the last try. */
export function differenceOf(before: People, now: People): string[] {
  const rows: string[][] = [];
  for (const [who, fields] of now) {
    const old = before.get(who);
    if (old === undefined) rows.push(["new", who, ""]);
    else {
      const names = new Set([...Object.keys(old), ...Object.keys(fields)]);
      const changed = [...names].filter((name) => old[name] !== fields[name])
        .map((name) => `${name}: ${old[name] ?? "nothing"} → ${fields[name] ?? "nothing"}`);
      if (changed.length > 0) rows.push(["changed", who, changed.join(", ")]);
    }
  }
  for (const who of before.keys()) if (!now.has(who)) rows.push(["gone", who, ""]);
  if (rows.length === 0) return ["Nobody is different from the last save"];
  const what = rows.length === 1 ? "1 is" : `${rows.length} are`;
  return [`${what} different from the last save:`, ...tableOf(["what", "who", "fields"], rows)];
}

/** Columns as wide as their longest cell; the last one is not padded. Nothing in a cell can control the terminal. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const all = [head, ...rows.slice(0, SHOWN_ROWS)].map((row) => row.map(printable));
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  const lines = all.map((row) =>
    row.map((cell, i) => i === head.length - 1 ? cell : cell.padEnd(widths[i]!)).join("  ").trimEnd()
  );
  return rows.length > SHOWN_ROWS ? [...lines, `… and ${rows.length - SHOWN_ROWS} more`] : lines;
}
