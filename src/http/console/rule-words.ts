/** What a connection does with an input, and what it does only after asking, as sentences with their numbers. No I/O. */
import {
  type FloorRule,
  type GuardName,
  type Guards,
  type GuardSettings,
  type Limits,
  resolveGuards,
} from "../../model/guards.ts";
import type { RowCondition } from "../../model/policy.ts";
import { count } from "../../notify/words.ts";
import type { ConnectionView } from "../api/connection-view.ts";

type Values = Readonly<Record<string, unknown>>;

/** Settings that another one's sentence has in it. */
const IN_ANOTHER: ReadonlySet<string> = new Set(["missing_after_runs", "missing_after_hours"]);

/** The sentence of one setting of the policy; null: another one's has it. `values`: the whole policy. */
export function policyInWords(name: string, values: Values): string | null {
  if (IN_ANOTHER.has(name)) return null;
  const value = values[name];
  const written = SENTENCES[name]?.(value, values);
  return written ?? `${name.replaceAll("_", " ")}: ${typeof value === "string" ? value : JSON.stringify(value)}`;
}

const either = (word: string, isOne: string, isOther: string) => (value: unknown) => value === word ? isOne : isOther;
const whether = (what: string) => (value: unknown) => value === true ? `${what}.` : `${what}: switched off.`;

const SENTENCES: Readonly<Record<string, (value: unknown, values: Values) => string>> = {
  coverage: either("full", "An input holds everybody.", "An input holds only those who changed."),
  missing: (value, { missing_after_runs: runs, missing_after_hours: hours }) =>
    value === "keep"
      ? "People who are missing from an input stay as they are."
      : `People who are missing from ${count(Number(runs), "full input")} in a row, and for ${
        count(Number(hours), "hour")
      }, are deactivated.`,
  empty_cells: either("clear", "An empty cell empties the field.", "An empty cell changes nothing."),
  manual_edits: either(
    "overwrite",
    "What somebody edited by hand is overwritten by the next input that has another value.",
    "What somebody edited by hand stays until it is released.",
  ),
  create: whether("New people are added"),
  update: whether("People are changed"),
  deactivate: whether("People who have left are deactivated"),
  reactivate: whether("People who come back are made active again"),
  pick: either(
    "latest",
    "Of several versions of one list that wait together, the newest is used.",
    "All files that wait together are used, as one list.",
  ),
  leavers: either(
    "on_date",
    "People are deactivated on their deactivation date.",
    "People are deactivated on the day after their deactivation date.",
  ),
  pre_hires: either(
    "import",
    "New people with a hire date to come are added at once.",
    "New people with a hire date to come are added on that day.",
  ),
  only_statuses: (value) =>
    Array.isArray(value)
      ? `Only people with these employment statuses are imported: ${value.join(", ")}.`
      : "People of all employment statuses are imported.",
  only_rows: (value) =>
    Array.isArray(value)
      ? `Only rows are imported ${(value as RowCondition[]).map(conditionInWords).join(", and ")}.`
      : "All rows are imported, whatever their columns say.",
  protected: (value) =>
    Array.isArray(value) && value.length > 0
      ? `${count(value.length, "person is", "people are")} never deactivated by a run.`
      : "Nobody is protected from being deactivated.",
  signature: either(
    "required",
    "Only files that are signed with a registered key are taken.",
    "Files need no signature.",
  ),
  priority: (value) =>
    value === 0
      ? "Where connections disagree about a person, the older one counts."
      : `Where connections disagree about a person, the one with the higher priority counts; this one has ${value}.`,
};

function conditionInWords({ column, is, is_not }: RowCondition): string {
  const list = (cells: readonly string[]) => cells.map((cell) => cell === "" ? "empty" : `“${cell}”`).join(" or ");
  return is === undefined
    ? `whose column “${column}” is not ${list(is_not ?? [])}`
    : `whose column “${column}” is ${list(is)}`;
}

/** The guards with the connection's own numbers in their places. */
export function guardsOf({ limits }: ConnectionView): Guards {
  return resolveGuards(limits as Limits);
}

/** What happens without asking, of one guard. */
export function guardLimitInWords(
  name: GuardName,
  guard: GuardSettings & { readonly floorRule: FloorRule | null },
): string {
  const { percent, floor, cap, enabled, floorRule } = guard;
  if (name === "field_gone") {
    return enabled
      ? "A run waits for approval when a field of the source cannot be read any more."
      : "A run does not wait when a field of the source cannot be read any more.";
  }
  if (name === "column") {
    return enabled
      ? `A run waits for approval when the share of people with a value in a column falls by more than ${percent} points.`
      : "A run does not wait, however many values of a column are gone.";
  }
  const [of, may] = COUNTED[name];
  if (!enabled) return `Any number of ${of} ${may} without approval.`;
  const least = floorRule === null ? `at least ${floor}` : `at least ${floor}, fewer in small organizations`;
  const most = cap === null ? "" : `, at most ${cap.toLocaleString("en")}`;
  return `Up to ${percent}% of ${of} ${may} without approval (${least}${most}).`;
}

const COUNTED: Readonly<Record<Exclude<GuardName, "field_gone" | "column">, readonly [of: string, may: string]>> = {
  deactivate: ["the people", "may lose access"],
  reactivate: ["the people", "may get access again after they had left"],
  identity: ["the people", "may get another email, employee ID or name"],
  update: ["the people", "may be changed"],
  create: ["the people", "may be new"],
  errors: ["the rows", "may have errors"],
  contradictions: ["the rows", "may make a person somebody else"],
  departments: ["the departments", "may be new"],
  missing: ["the people", "may be gone from the source"],
};

/** The guards' names, as headings. */
export const GUARD_TITLES: Readonly<Record<GuardName, string>> = {
  deactivate: "People who lose access",
  reactivate: "People who come back",
  identity: "Other emails, employee IDs or names",
  update: "People who are changed",
  create: "New people",
  errors: "Rows with errors",
  contradictions: "Rows about somebody else",
  departments: "New departments",
  missing: "People who are gone from the source",
  field_gone: "Fields that cannot be read any more",
  column: "Values that are gone from a column",
};
