/**
 * What holds whatever the rules say in detail, looked at with the truth beside it: who each row is really about, which no
 * engine sees. A run that a person approved is theirs to answer for; all others are the hub's.
 */
import type { ChangeView } from "../../../src/model/change.ts";
import type { Seen } from "./engine.ts";
import type { Day, ScenarioRow } from "./scenario.ts";

/** The row by which each user of the hub was last known, and so which human being they are, by the user's id. */
export type Truth = Map<string, ScenarioRow>;

const DONE: ReadonlySet<string> = new Set(["succeeded", "partial"]);
/** A leaving says nothing of who somebody is. */
const OF_LEAVING: ReadonlySet<string> = new Set(["status", "deactivation_date"]);

/** What the run did that nothing excuses. Learns who is who by the way. */
export function breachesOf(truth: Truth, day: Day, seen: Seen, known: Known): string[] {
  const isHeld = seen.status === "held", breaches: string[] = [];
  if (seen.run.counts === null || (!isHeld && !DONE.has(seen.status))) return [];
  if (!isHeld) {
    for (const change of seen.changes) breaches.push(...wrongPerson(truth, day, change));
    breaches.push(...tooMany(day, seen, known));
  }
  if (!isHeld || day.ifHeld === "approve") learn(truth, day, seen);
  return breaches;
}

export interface Known {
  /** Whether the connection has the guards as they are by default. */
  readonly isGuarded: boolean;
  /** People who were linked, active or not, before the run. */
  readonly linked: number;
}

const rowAt = (day: Day, line: number | null): ScenarioRow | undefined =>
  line === null ? undefined : day.rows[line - 2];

/** Nobody becomes somebody else. */
function wrongPerson(truth: Truth, day: Day, { action, line, subject, fields }: ChangeView): string[] {
  const row = rowAt(day, line), was = truth.get(subject.id);
  if (row === undefined || action === "create" || was === undefined || was.truth === row.truth) return [];
  if (Object.keys(fields).every((field) => OF_LEAVING.has(field)) && action === "deactivate") return [];
  // Without them nobody could tell that a number has a new owner.
  if (!isTelling(day, row)) return [];
  // One other name at the same address is what a marriage or a nickname looks like.
  const isOneName = ("first_name" in fields) !== ("last_name" in fields) || haveOneName(row, was);
  if (isOneName && !("email" in fields)) return [];
  // Somebody with the number and the address of another is them, as far as anybody can see.
  if (hasBoth(day, row) && !("email" in fields) && !("employee_id" in fields)) return [];
  return [
    `line ${line} is about person ${row.truth} and changed the user of person ${was.truth}: ${JSON.stringify(fields)}`,
  ];
}

/** Whether the two have one of the names and the address in common; which of them is written does not matter. */
function haveOneName({ cells: a }: ScenarioRow, { cells: b }: ScenarioRow): boolean {
  return a.email === b.email && (a.first_name === b.first_name) !== (a.last_name === b.last_name);
}

/** Whether the row has what tells people apart: an address and both names. */
function isTelling({ headers }: Day, { cells }: ScenarioRow): boolean {
  return ["email", "first_name", "last_name"].every((header) =>
    headers.includes(header) && cells[header]!.trim() !== ""
  );
}

function hasBoth({ headers }: Day, { cells }: ScenarioRow): boolean {
  return ["email", "employee_id"].every((header) => headers.includes(header) && cells[header]!.trim() !== "");
}

/** Beyond the guards nobody loses access, and no leaver comes back, unless somebody has looked. */
function tooMany(day: Day, seen: Seen, { isGuarded, linked }: Known): string[] {
  if (!isGuarded || linked >= 50) return [];
  const most = Math.max(2, Math.ceil(seen.run.counts!.read / 10), Math.ceil((linked + day.rows.length) / 10));
  const count = (action: ChangeView["action"]) => seen.changes.filter((change) => change.action === action).length;
  const breaches: string[] = [];
  for (const action of ["deactivate", "reactivate"] as const) {
    const number = count(action);
    if (number > most || (number >= 2 && number > linked / 2)) {
      breaches.push(`${number} of ${linked} people: ${action}, and nothing held it`);
    }
  }
  const saysNothing = !day.headers.includes("is_active") && !day.headers.includes("deactivation_date");
  const back = seen.changes.filter(({ action, fields }) =>
    action === "reactivate" && fields.deactivation_date !== undefined
  );
  if (saysNothing && back.length > 0) breaches.push("A file that says nothing of who has left brings a leaver back");
  return breaches;
}

function learn(truth: Truth, day: Day, seen: Seen): void {
  for (const { action, line, subject, fields } of seen.changes) {
    const row = rowAt(day, line);
    if (row === undefined) continue;
    if (action === "create" || seen.status === "held") truth.set(subject.id, row);
    // An address alone tells nobody that it is another person's: what comes after it is no surprise.
    else if (truth.get(subject.id)?.truth !== row.truth && "email" in fields) truth.delete(subject.id);
  }
}
