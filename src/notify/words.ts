/**
 * A run in words, for people who do not know Muster: mails and the run's page use them. Nothing is escaped here. No I/O, no
 * clock.
 */
import type { Counts, HeldBy, RunStatus } from "../model/run.ts";
import type { By } from "../model/audit.ts";
import type { Run } from "../store/runs/runs.ts";

/** `1 person`, `1,200 people`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

const people = (n: number) => count(n, "person", "people");

/** The run's status as a short heading and a sentence. */
export function statusInWords(run: Pick<Run, "status" | "approvedAt" | "cancelRequested" | "heldBy">): {
  readonly title: string;
  readonly sentence: string;
} {
  if (run.cancelRequested && (run.status === "applying" || run.status === "planning")) {
    return { title: "Being cancelled", sentence: "It stops after the step it is at." };
  }
  const why = run.status === "held" ? whyHeld(run.heldBy) : "accident";
  if (why !== "accident") {
    return { title: "Held", sentence: `Nothing has been changed. ${NO_ACCIDENT[why]} It waits for your decision.` };
  }
  const found = STATUSES[run.status];
  if (run.approvedAt === null || !(run.status in APPROVED)) return found;
  return { ...found, sentence: APPROVED[run.status as keyof typeof APPROVED] };
}

const NO_ACCIDENT = {
  revert: "The run before this one was taken back, so this one is not applied by itself.",
  parts: "Several files with different people came together, and Muster has to know whether they belong together.",
} as const;

/** Why the run is held: it looks like an accident, or only because the run before was reverted or other files wait with it. */
export function whyHeld(heldBy: readonly HeldBy[]): "accident" | "revert" | "parts" {
  const guards = new Set(heldBy.map(({ guard }) => guard));
  if (guards.size === 0 || [...guards].some((guard) => guard !== "revert" && guard !== "parts")) return "accident";
  return guards.has("parts") ? "parts" : "revert";
}

const STATUSES: Record<RunStatus, { title: string; sentence: string }> = {
  queued: { title: "Waiting its turn", sentence: "It is about to be looked at; nothing has been changed yet." },
  planning: { title: "Being planned", sentence: "Muster works out what would change; nothing has been changed yet." },
  planned: { title: "Planned", sentence: "Nothing has been changed. It is applied when somebody approves it." },
  held: {
    title: "Held",
    sentence: "Nothing has been changed. It looks like an accident, so it waits for your decision.",
  },
  applying: { title: "Being applied", sentence: "The changes are being made now." },
  succeeded: { title: "Done", sentence: "Everything was applied." },
  partial: { title: "Done, with rows left out", sentence: "Everything was applied but the rows with errors." },
  failed: { title: "Failed", sentence: "It could not be used." },
  cancelled: { title: "Cancelled", sentence: "Somebody cancelled it." },
  superseded: {
    title: "Overtaken",
    sentence: "A newer input took its place before it was applied; it changes nothing.",
  },
  skipped: {
    title: "Nothing to do",
    sentence: "It is the input that was applied last, and nothing has changed since.",
  },
};

/** The sentences of runs that a person has approved. */
const APPROVED = {
  applying: "It was approved, and the changes are being made now.",
  succeeded: "It was approved, and everything was applied.",
  partial: "It was approved, and everything was applied but the rows with errors.",
  cancelled: "It was approved, and cancelled while it was being applied; what had been applied by then stays.",
} as const;

/** Whether the changes have not been made yet, so that words about them use "would". */
export function isAhead(status: RunStatus): boolean {
  return status === "planned" || status === "held";
}

/** Whether the run's changes were planned and never made, so that words about them use "would have". */
export function wasNotApplied(status: RunStatus): boolean {
  return status === "superseded";
}

export interface CountInWords {
  readonly n: number;
  /** Without the number: `would be created`. */
  readonly what: string;
  /** The kind of change that it counts, where people can be listed by it. */
  readonly action: "create" | "update" | "deactivate" | "reactivate" | null;
}

/** What the run changes, one line for each kind that occurs, the gravest first. */
export function changesInWords(run: Pick<Run, "status" | "entity">, counts: Counts): CountInWords[] {
  const wouldBe = isAhead(run.status) ? "would be" : wasNotApplied(run.status) ? "would have been" : null;
  const verb = wouldBe ?? "were", verbOne = wouldBe ?? "was";
  const who = run.entity === "departments"
    ? (n: number) => n === 1 ? "department" : "departments"
    : (n: number) => n === 1 ? "person" : "people";
  const line = (n: number, done: string, action: CountInWords["action"]): CountInWords => ({
    n,
    what: `${who(n)} ${n === 1 ? verbOne : verb} ${done}`,
    action,
  });
  const lines = [
    line(counts.deactivated, "deactivated", "deactivate"),
    line(counts.reactivated, "made active again", "reactivate"),
    line(counts.created, "created", "create"),
    line(counts.updated, "changed", "update"),
    ...(run.entity === "departments" ? [] : [
      { n: counts.departments_created, what: `new ${noun(counts.departments_created, "department")}`, action: null },
      {
        n: counts.departments_updated,
        what: `${noun(counts.departments_updated, "department")} ${
          counts.departments_updated === 1 ? verbOne : verb
        } changed`,
        action: null,
      },
    ]),
  ];
  return lines.filter(({ n }) => n > 0);
}

/** Counts of rows, one line for each kind that occurs. */
export function rowsInWords(counts: Counts): CountInWords[] {
  const rows = (n: number) => noun(n, "row");
  return [
    { n: counts.read, what: `${rows(counts.read)} read`, action: null },
    { n: counts.failed, what: `${rows(counts.failed)} with errors, left out`, action: null },
    { n: counts.warned, what: `${rows(counts.warned)} with warnings`, action: null },
    { n: counts.unchanged, what: `${rows(counts.unchanged)} with nothing new`, action: null },
    { n: counts.skipped, what: `${rows(counts.skipped)} skipped`, action: null },
    { n: counts.missing, what: `${noun(counts.missing, "person", "people")} not in the input any more`, action: null },
  ].filter(({ n }) => n > 0);
}

function noun(n: number, one: string, many = `${one}s`): string {
  return n === 1 ? one : many;
}

/** Why a guard holds the run: the count, the limit, and how many people or rows it is out of. */
export function guardInWords(held: HeldBy): string {
  const { guard, field, count: n, limit, base, earlier = 0 } = held;
  const most = `Without asking, at most ${limit.toLocaleString("en")}`;
  const of = `of the ${people(base)} from this connection`;
  const hour = earlier === 0
    ? ""
    : `, within an hour: ${(n - earlier).toLocaleString("en")} by this run, ${earlier.toLocaleString("en")} before it`;
  switch (guard) {
    case "deactivate":
      return `${n.toLocaleString("en")} ${of} would lose access, now or on a day that is set${hour}. ${most} may.`;
    case "reactivate":
      return `${people(n)} who had left would get access again${hour}; this connection has ${
        people(base)
      }. ${most} may.`;
    case "identity":
      return `${n.toLocaleString("en")} ${of} would get another email, employee ID or name${hour}. ` +
        `${most} may: it can give one person's account to another.`;
    case "update":
      return `${n.toLocaleString("en")} ${of} would be changed. ${most} may be.`;
    case "create":
      return `${people(n)} would be new, ${base.toLocaleString("en")} ${isOrAre(base)} there. ${most} may be.`;
    case "departments":
      return `${count(n, "department")} would be new, ${base.toLocaleString("en")} ${isOrAre(base)} there. ` +
        `${most} may be: a column may have been taken for the department's, or the names be spelled otherwise.`;
    case "errors":
      return `${count(n, "row")} of the ${base.toLocaleString("en")} read ${
        n === 1 ? "has" : "have"
      } errors. ${most} may.`;
    case "contradictions":
      return `${count(n, "row")} of the ${
        base.toLocaleString("en")
      } read would make a person somebody else: names and ` +
        `addresses that do not fit whom the hub knows. ${most} may. Approving takes all of them for the same people.`;
    case "missing":
      return `${n.toLocaleString("en")} ${of} ${isOrAre(n)} not in the source any more. ${most} may be: ` +
        "mostly what may be read of the source has become less.";
    case "field_gone":
      return `Nothing of "${fieldInWords(field ?? "")}" can be read any more, which ${people(n)} had; ` +
        "applied, they keep what they have.";
    case "column":
      return columnInWords(held);
    case "revert":
      return "The run before this one was taken back, so this one waits for a person to look at it.";
    case "parts":
      return `${
        count(n, "file")
      } with different people came together. Approving says that together they hold everybody: ` +
        "each is applied in turn, and only people who are in none of them count as missing. If one of them is the whole " +
        "list, cancel the others.";
  }
}

const isOrAre = (n: number) => n === 1 ? "is" : "are";

function columnInWords({ field = "", count: n, limit, base }: HeldBy): string {
  if (field === "deactivation_date") {
    return `No row has a leaving date any more, and ${people(n)} who had left would get access again.`;
  }
  const some = n === 0 ? "None" : `Only ${n.toLocaleString("en")}`;
  return `${some} of the ${base.toLocaleString("en")} who were in the last input and are in this one ${
    n === 1 ? "has" : "have"
  } a value for "${fieldInWords(field)}". At least ${limit.toLocaleString("en")} should, going by what they had; ` +
    "applied, values are cleared where cells are empty.";
}

/** What the guard has found, as a heading. */
export function guardTitle({ guard, field }: HeldBy): string {
  if (guard === "column" && field === "deactivation_date") return "All leaving dates are gone";
  if (guard === "column") return `Many values of "${fieldInWords(field ?? "")}" are gone`;
  return guard === "field_gone" ? `"${fieldInWords(field ?? "")}" cannot be read any more` : GUARDS[guard];
}

const GUARDS = {
  deactivate: "Many people would be deactivated",
  reactivate: "Many people would be made active again",
  identity: "Many emails, employee IDs or names would change",
  update: "Many people would be changed",
  create: "Many people would be new",
  departments: "Many departments would be new",
  errors: "Many rows have errors",
  contradictions: "Many rows seem to be about somebody else",
  missing: "Many people are gone from the source",
  revert: "The run before was taken back",
  parts: "Several files came together",
} as const;

/** What started the run. */
export const TRIGGERS: Record<Run["trigger"], string> = {
  drop: "a file or list was sent",
  schedule: "on its schedule",
  manual: "somebody asked for it",
  due: "the last day of people has come",
  retry: "an earlier run is tried again",
  revert: "an earlier run is reverted",
  upgrade: "an upgrade of the connector was planned",
};

/**
 * Who decided, after `Approved on …, `. For readers who may decide themselves (`isOpen`) tokens are named by their id, and
 * members by their name.
 */
export function deciderInWords({ kind, id, name }: Pick<By, "kind" | "id" | "name">, isOpen: boolean): string {
  if (kind === "member" && isOpen && name !== null) return `by ${name}`;
  if (kind === "token" && isOpen && id !== null) return `by API with the token ${id}`;
  return DECIDERS[kind];
}

const DECIDERS: Readonly<Record<By["kind"], string>> = {
  link: "with a link to this page",
  token: "by API with a token",
  member: "by a member of the organization",
  openid: "by API, by somebody who was signed in",
  command: "by a command on the hub's machine",
  source: "by the source itself",
  hub: "by the hub itself",
  retention: "by the retention of people",
};

/** `2 March 2026 at 09:00 (Europe/Berlin)`. */
export function whenInWords(ms: number, timezone: string): string {
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, day: "numeric", month: "long", year: "numeric" });
  const time = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return `${day.format(ms)} at ${time.format(ms)} (${timezone})`;
}

/** A field's name for people: `Hire date`. */
export function fieldInWords(field: string): string {
  const known = FIELDS[field];
  if (known !== undefined) return known;
  const text = field.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const FIELDS: Readonly<Record<string, string>> = {
  employee_id: "Employee ID",
  department_id: "Department ID",
  department_name: "Department",
};

/** Why a person is changed, if not because of their row. `reason`: as the plan has it. */
export function reasonInWords(reason: string | null): string | null {
  if (reason === null) return null;
  return REASONS[reason] ?? reason;
}

const REASONS: Readonly<Record<string, string>> = {
  missing: "not in the input any more",
  filtered: "their employment status is not one that is imported",
  deactivation_date: "their last day has come",
  due: "their last day has come",
  revert: "an earlier run is reverted",
  "manager appeared": "their manager is known now",
  "named by a person": "a row names it",
  "nobody is left in it": "nobody is left in it",
};
