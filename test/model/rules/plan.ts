/** What the engine must do with an input, from its rows to the state afterwards. */
import { makesSomebodyNew } from "./change.ts";
import { doubtsOf } from "./decisions.ts";
import { passedAfter } from "./due.ts";
import { type Counted, decide, type Decision, type Planned } from "./decide.ts";
import { sortDuplicates } from "./duplicates.ts";
import { columnGuardHolds, guardsThatHold, holds, NO_BASES } from "./guards.ts";
import { type Match, matchAll, matchByName } from "./match.ts";
import { absencesAfter } from "./missing.ts";
import { columnsOf, readRecord, type Record_, remember } from "./record.ts";
import { union } from "./parts.ts";
import {
  type Column,
  type Connection,
  type Input,
  MANAGER_FIELDS,
  type Memory,
  OUTCOMES,
  type RowOutcome,
  type State,
  type Verdict,
} from "./state.ts";

export function planInput(state: State, input: Input): Verdict {
  const connection = state.connections.find(({ slug }) => slug === input.connection)!;
  const columns = columnsOf(input.headers);
  if (!columns.includes(connection.key)) return refuseAll(state, input, "header_missing");
  if (input.rows.length === 0 && input.coverage === "full") return refuseAll(state, input, "input_empty");
  const memory = remember(connection.memory, columns, input.rows);
  const records = input.rows.map((row, index) =>
    readRecord(onlyIn(row, input), index + 2, columns, connection, memory, input.today)
  );
  const sorted = sortDuplicates(records, (record) => isOfStaff(record, state, connection));
  const isFull = input.coverage === "full", { part } = input, { before } = part;
  const everyKeyRead = records.every(({ key }) => key !== null), isWhole = everyKeyRead && before.isWhole;
  const among = {
    state,
    connection,
    records: sorted.counting,
    all: records,
    seenBefore: before.seen,
    keys: union(before.keys, records.flatMap(({ key }) => key ?? [])),
    showsEverybody: isFull && isWhole && part.isLast,
  };
  const matchesOf = (some: readonly Record_[]) =>
    matchAll(some, among).map((match, index) => {
      const record = some[index]!;
      const isNew = match?.kind === "unmatched" && record.errors.length === 0 && makesSomebodyNew(record, memory);
      return { record, match: isNew ? matchByName(record, among) ?? match : match };
    });
  const matched = matchesOf(sorted.counting), rejected = matchesOf(sorted.rejected);
  const work = { ...among, rejected, onlyLeaving: sorted.onlyLeaving, input, memory };
  const careful = decide({ ...work, matched, areAllAccepted: false });
  const contradicting = careful.exchanged +
    matched.filter(({ match }) => match?.kind === "refused" && match.contradicted !== null).length;
  const isHeldForThem = holds("contradictions", contradicting, connection, { ...NO_BASES, read: records.length });
  const accepted = isHeldForThem ? matched.map(({ record, match }) => ({ record, match: accept(match) })) : matched;
  const decision = isHeldForThem ? decide({ ...work, matched: accepted, areAllAccepted: true }) : careful;
  const rows = outcomesOf(decision, sorted), doubts = doubtsOf(accepted, connection.key);
  const counted = countOf(decision, rows, { state, connection, input, contradicting });
  const heldBy = guardsThatHold(connection, counted.amounts, counted.bases);
  const failing = new Set(rows.filter(({ outcome }) => outcome === "failed").map(({ line }) => line));
  // Nothing is cleared by a row that is refused, nor by one beside the one that counts.
  const used = sorted.counting.filter(({ line }) => !failing.has(line));
  const filled = new Map([...before.filled, ...byFormerKey(filledOf(used), decision, among)]);
  // Nobody loses a manager who was never set.
  const unset = new Set(
    decision.planned.flatMap(({ record, person }) =>
      person !== null && decision.unset.has(person.id) ? [record.line] : []
    ),
  );
  const withoutUnset = (record: Record_) =>
    unset.has(record.line) ? { ...record, cells: withoutManager(record) } : record;
  const managerLeft = union(before.managerLeft, keysWhoseManagerLeaves(sorted.counting, decision, state, among));
  const leaving = union(before.leaving, counted.people.leaving), { returning } = counted.people;
  const linked = new Set(state.links.filter((link) => link.connection === connection.slug).map(({ key }) => key));
  const seenColumns = { connection, columns, filled, linked, leaving, managerLeft, returning };
  const isEmptied = isFull && columnGuardHolds({ ...seenColumns, counts: () => true });
  if (isEmptied) heldBy.push("column");
  const isOpen = isEmptied &&
    !columnGuardHolds({ ...seenColumns, counts: (key, column) => isOwn(state, connection, key, column) });
  if (part.asks) heldBy.push("parts");
  const refusedNow = records.filter(({ line }) => failing.has(line)).flatMap(({ key }) => key ?? []);
  // Nor does a row that names somebody else by mistake, as by a number that has lost its zeros.
  const namedAlone = state.links.filter(({ connection: slug, person }) =>
    slug === connection.slug && decision.onlyRefused.has(person)
  );
  const refused = union(before.refused, [...refusedNow, ...namedAlone.map(({ key }) => key)]);
  // An input with a key that cannot be read is not complete: it may hold anybody.
  const fullInputs = memory.fullInputs + (isWhole && part.isLast ? 1 : 0);
  const shownFilled = new Map([...before.shown, ...filledOf(used.map(withoutUnset))]);
  const after: State = {
    lastDue: state.lastDue,
    people: decision.people.map((person) => ({
      ...person,
      passed: passedAfter(state.people.find(({ id }) => id === person.id), person, heldBy.length > 0),
    })),
    waiting: decision.waiting,
    accepted: state.accepted,
    links: absencesAfter(decision.links, decision, among, input),
    connections: state.connections.map((each) =>
      each !== connection ? each : {
        ...each,
        // Parts are one input: what they had is compared, and remembered, with the last.
        memory: isFull && part.isLast
          ? { ...memory, fullInputs, ...showing(memory, shownFilled, refused, columns) }
          : memory,
      }
    ),
  };
  // A run in which every row is an error has used nothing of its input.
  if (failing.size === rows.length && rows.length > 0) {
    return { ...refuseAll(state, input, null), rows, doubts };
  }
  const { seen, used: usedPeople } = decision;
  const shown = {
    keys: among.keys,
    refused,
    seen,
    used: usedPeople,
    filled,
    shown: shownFilled,
    leaving,
    managerLeft,
    isWhole,
  };
  const status = heldBy.length > 0 ? "held" : failing.size === 0 ? "succeeded" : "partial";
  const { leavers } = decision;
  return { status, error: null, rows, leavers, heldBy: heldBy.toSorted(), doubts, shown, isOpen, after };
}

/** Whether the value is this connection's to lose; one that another source has given as well is not, nor is a status. */
function isOwn({ links, people }: State, { slug }: Connection, key: string, column: Column): boolean {
  const link = links.find((each) => each.connection === slug && each.key === key);
  const writers = people.find(({ id }) => id === link?.person)?.writers ?? {};
  const field = (MANAGER_FIELDS as readonly Column[]).includes(column) ? "manager" : column;
  return field !== "is_active" && (writers as Readonly<Record<string, string>>)[field] === slug;
}

/** The row's cells under the file's headers. */
function onlyIn(row: Readonly<Record<string, string>>, { headers }: Input): Readonly<Record<string, string>> {
  return Object.fromEntries(headers.map((header) => [header, row[header]!]));
}

function isOfStaff({ status, key }: Record_, state: State, { slug }: Connection): boolean {
  if (status !== "nothing") return status !== "inactive";
  const link = state.links.find((each) => each.connection === slug && each.key === key);
  return link === undefined || state.people.some(({ id, active }) => id === link.person && active);
}

function refuseAll(state: State, { part }: Input, error: string | null): Verdict {
  const shown = { ...part.before, isWhole: false };
  return { status: "failed", error, rows: [], leavers: [], heldBy: [], doubts: [], shown, isOpen: false, after: state };
}

/** Approving a run that contradictions hold takes the rows for the same people's. */
function accept(match: Match | null): Match | null {
  if (match?.kind !== "refused" || match.contradicted === null) return match;
  return { kind: "known", person: match.contradicted, by: match.by, isOnlyLeaving: false };
}

function outcomesOf(decision: Decision, sorted: ReturnType<typeof sortDuplicates>): RowOutcome[] {
  const rows: RowOutcome[] = [
    ...decision.planned.map(({ record, outcome, code }) => ({ line: record.line, outcome, code })),
    ...sorted.skipped.map(({ line }) => ({ line, outcome: "skipped" as const, code: null })),
    ...sorted.rejected.map(({ line }) => ({ line, outcome: "failed" as const, code: "duplicate_in_input" })),
  ];
  return rows.toSorted((a, b) => a.line - b.line || OUTCOMES.indexOf(a.outcome) - OUTCOMES.indexOf(b.outcome));
}

function countOf(
  decision: Decision,
  rows: readonly RowOutcome[],
  { state, connection, input, contradicting }: {
    state: State;
    connection: Connection;
    input: Input;
    contradicting: number;
  },
) {
  const number = (test: (planned: Planned) => boolean) => decision.planned.filter(test).length;
  const counts = (what: keyof Counted) => number(({ counted }) => counted[what]);
  const before = new Set(
    state.links.filter(({ connection: slug }) => slug === connection.slug).map(({ person }) => person),
  );
  const now = new Set(
    decision.links.filter(({ connection: slug }) => slug === connection.slug).map(({ person }) => person),
  );
  const wereActive = new Set(state.people.filter(({ active }) => active).map(({ id }) => id));
  const created = number(({ outcome }) => outcome === "created");
  const known = [...now].filter((id) => wereActive.has(id)).length;
  const activeBefore = [...before].filter((id) => wereActive.has(id)).length;
  const absent = [...before].filter((id) => wereActive.has(id) && !decision.seen.has(id)).length;
  const returning = number(({ outcome }) => outcome === "reactivated");
  const leaving = new Set(
    decision.planned.flatMap(({ record, outcome }) => outcome === "deactivated" ? record.key! : []),
  );
  return {
    amounts: {
      deactivate: counts("leaving") + decision.leavers.length,
      reactivate: returning,
      identity: counts("identity"),
      update: counts("update"),
      create: created,
      errors: rows.filter(({ outcome }) => outcome === "failed").length,
      contradictions: contradicting,
    },
    bases: {
      read: rows.length,
      active: known + created,
      known,
      linked: before.size,
      activeLinked: activeBefore,
      mostAreAbsent: input.coverage === "full" && input.part.isLast && absent > activeBefore / 2,
    },
    people: { leaving, returning },
  };
}

/** Keys of people whose manager has left, or leaves with this input or on a day to come. */
function keysWhoseManagerLeaves(
  records: readonly Record_[],
  { planned, leavers, seen }: Decision,
  { people, links }: State,
  { connection: { slug }, showsEverybody }: { connection: Connection; showsEverybody: boolean },
): ReadonlySet<string> {
  const leaves = (id: number) => {
    const person = people.find((each) => each.id === id)!;
    const isMissing = showsEverybody && !seen.has(id) &&
      links.some((link) => link.connection === slug && link.person === id);
    return !person.active || person.values.deactivation_date !== null || isMissing || leavers.includes(id) ||
      planned.some((each) => each.person?.id === id && (each.outcome === "deactivated" || each.counted.leaving));
  };
  return new Set(records.flatMap(({ key }) => {
    const row = planned.find(({ record, person }) => record.key === key && person !== null);
    const manager = people.find(({ id }) => id === row?.person?.id)?.manager ?? null;
    return key !== null && manager !== null && leaves(manager) ? [key] : [];
  }));
}

/**
 * What a connection remembers of the columns: one that is not in an input is as it was in the one before, and so are those
 * of a row that is refused, as it has changed nothing.
 */
function showing(
  { filled: before, columns: known }: Memory,
  filled: ReadonlyMap<string, ReadonlySet<Column>>,
  refused: ReadonlySet<string>,
  columns: readonly Column[],
): Pick<Memory, "filled" | "columns"> {
  const absent = known.filter((column) => !columns.includes(column));
  const kept = [...filled].map(([key, cells]) =>
    [key, new Set([...cells, ...absent.filter((column) => before?.get(key)?.has(column))])] as const
  );
  const asBefore = [...before ?? []].filter(([key]) => refused.has(key) && !filled.has(key));
  return { filled: new Map([...kept, ...asBefore]), columns: [...columns, ...absent] };
}

function withoutManager({ cells }: Record_): Record_["cells"] {
  return new Map([...cells].filter(([column]) => !(MANAGER_FIELDS as readonly Column[]).includes(column)));
}

/** The same by the keys that people had before: what is compared is what one person had and has. */
function byFormerKey(
  filled: ReadonlyMap<string, Set<Column>>,
  { planned }: Decision,
  { state, connection: { slug } }: { state: State; connection: Connection },
): ReadonlyMap<string, Set<Column>> {
  const links = state.links.filter(({ connection }) => connection === slug);
  return new Map([...filled].flatMap(([key, cells]) => {
    const person = planned.find(({ record, person }) => record.key === key && person !== null)?.person;
    const former = links.find((link) => link.person === person?.id)?.key ?? key;
    const isTaken = former === key && links.some((link) => link.key === key && link.person !== person?.id);
    return isTaken ? [] : [[former, cells] as const];
  }));
}

/** By key, the columns of its row that have a value. */
function filledOf(records: readonly Record_[]): Map<string, Set<Column>> {
  return new Map(
    records.filter(({ key }) => key !== null).map(({ key, cells }) => [
      key!,
      new Set([...cells].filter(([, cell]) => cell !== "").map(([column]) => column)),
    ]),
  );
}
