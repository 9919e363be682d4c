/** What becomes of each record and of whom it is about. */
import { changePerson, createPerson, makesSomebodyNew } from "./change.ts";
import { elsewhereOf, hasReadStatus } from "./elsewhere.ts";
import { type Among, keepZeros, type Match, type Matched } from "./match.ts";
import { type Managers, settleManagers } from "./managers.ts";
import { leaversOf, type Seen, whoIsSeen } from "./missing.ts";
import type { Record_ } from "./record.ts";
import { withoutExchanges } from "./exchanges.ts";
import {
  type Column,
  HAND,
  type Input,
  type Link,
  type Memory,
  type Outcome,
  type Person,
  type Waiting,
  type Writers,
} from "./state.ts";

/** What guards count of a change. */
export interface Counted {
  readonly leaving: boolean;
  readonly identity: boolean;
  readonly update: boolean;
}

export interface Planned {
  readonly record: Record_;
  readonly match: Match | null;
  readonly outcome: Outcome;
  readonly code: string | null;
  /** Whom the error names. */
  readonly names: readonly Person[];
  /** The person afterwards; null where the row changes and links nobody. */
  readonly person: Person | null;
  /** Whether nothing is used of the row but that the person has left. */
  readonly isOnlyLeaving: boolean;
  readonly counted: Counted;
}

export interface Decision extends Seen {
  readonly planned: readonly Planned[];
  readonly people: readonly Person[];
  readonly links: readonly Link[];
  readonly waiting: readonly Waiting[];
  /** Whose row names a manager who is not set, by id. */
  readonly unset: ReadonlySet<number>;
  /** Who is deactivated as missing, by id. */
  readonly leavers: readonly number[];
  /** Rows that are refused as they may be mixed up with others. */
  readonly exchanged: number;
}

export interface ToDecide extends Omit<Among, "rekeyed"> {
  readonly matched: readonly Matched[];
  /** Rows that were rejected as duplicates. */
  readonly rejected: readonly Matched[];
  readonly onlyLeaving: ReadonlySet<string>;
  readonly input: Input;
  readonly memory: Memory;
  /** Somebody has said that rows which seem to be about others are right. */
  readonly areAllAccepted: boolean;
}

const OF_STATUS: readonly Column[] = ["is_active", "deactivation_date", "employment_status"];
const UNCOUNTED: Counted = { leaving: false, identity: false, update: false };

export function decide(work: ToDecide): Decision {
  const { state } = work;
  let nextId = Math.max(0, ...state.people.map(({ id }) => id)) + 1;
  const decided = work.matched.map(({ record, match }) => decideOne(record, match, work, () => nextId++));
  const once = claimedOnce(decided, work.rejected);
  const { planned: open, exchanged } = work.areAllAccepted
    ? { planned: once, exchanged: 0 }
    : withoutExchanges(once, work);
  let planned = open;
  for (let isStable = false; !isStable;) {
    const next = planned.map((each) => keepsToOwnKey(keepsToOwnAddress(each, planned, work), planned, work));
    isStable = next.every((each, index) => each === planned[index]);
    planned = next;
  }
  const seen = whoIsSeen(planned, work), leavers = leaversOf(work, seen);
  const now = new Map(planned.flatMap(({ person }) => person === null ? [] : [[person.id, person] as const]));
  const people = state.people.map((person) =>
    leavers.includes(person.id)
      ? { ...person, active: false, writers: { ...person.writers, status: work.connection.slug } }
      : now.get(person.id) ?? person
  );
  people.push(...[...now.values()].filter(({ id }) => state.people.every((person) => person.id !== id)));
  const managers = settleManagers(planned, people, { state, slug: work.connection.slug, byHand: work.input.byHand });
  return {
    planned: planned.map((each) => withManager(each, managers, work)),
    people: people.map((person) => managed(person, managers, work)),
    links: linksAfter(planned, leavers, work),
    waiting: managers.waiting,
    unset: managers.unset,
    leavers,
    exchanged,
    ...seen,
  };
}

function managed(person: Person, { now }: Managers, { state, connection, input }: ToDecide): Person {
  const given = now.get(person.id);
  if (given === undefined || given.manager === person.manager) return person;
  const isKnown = state.people.some(({ id }) => id === person.id);
  const isEdit = isKnown && elsewhereOf(person, { state, connection, byHand: input.byHand }).isEdit &&
    given.by === connection.slug;
  const others = [...person.edited].filter((field) => field !== "manager");
  const isFree = !isEdit && given.manager === null && person.writers.manager === given.by;
  return {
    ...person,
    manager: given.manager,
    writers: { ...person.writers, manager: isFree ? undefined : isEdit ? HAND : given.by } as Writers,
    edited: new Set(isEdit ? [...others, "manager"] : others),
  };
}

/** The row with what it does to the person's manager. */
function withManager(each: Planned, managers: Managers, work: ToDecide): Planned {
  const { person, outcome, counted } = each;
  if (person === null || outcome === "created") return each;
  const isChanged = managed(person, managers, work).manager !== person.manager;
  const isOfRow = managers.now.get(person.id)?.isLate === false;
  if (!isChanged || (outcome === "unchanged" && !isOfRow)) return each;
  const isUpdated = outcome === "unchanged" || outcome === "updated";
  return {
    ...each,
    outcome: outcome === "unchanged" ? "updated" : outcome,
    counted: { ...counted, update: counted.update || (isUpdated && person.manager !== null) },
  };
}

function decideOne(record: Record_, match: Match | null, work: ToDecide, newId: () => number): Planned {
  const fail = (code: string, names = peopleOf(match)): Planned => ({
    record,
    match,
    outcome: "failed",
    code,
    names,
    person: null,
    isOnlyLeaving: false,
    counted: UNCOUNTED,
  });
  const skip: Planned = { ...fail("", []), outcome: "skipped", code: null };
  if (match === null) return fail(record.errors[0]?.code ?? "required_field_missing");
  // Nobody knows what a row means whose status cannot be read.
  const unread = record.errors.find(({ field }) => OF_STATUS.includes(field));
  if (unread !== undefined && record.status !== "inactive") return fail(unread.code);
  if (match.kind === "refused" && match.code === "zeros_lost") return fail(match.code);
  const isLeavingOfSomebodyKnown = record.status === "inactive" && match.kind === "known";
  if (record.errors.length > 0 && !isLeavingOfSomebodyKnown) return fail(record.errors[0]!.code);
  if (match.kind === "refused") return fail(match.code);
  if (match.kind === "unmatched") {
    const isOpen = record.isFiltered || record.status === "unclear";
    if (!makesSomebodyNew(record, work.memory)) {
      return isOpen || match.holder === null ? skip : fail("identity_conflict");
    }
    const person = createPerson(record, newId(), work.connection);
    return person === null ? fail("required_field_missing") : { ...skip, outcome: "created", person };
  }
  const { person } = match;
  const isOnlyLeaving = match.kind === "known" && match.isOnlyLeaving || work.onlyLeaving.has(record.key!);
  const link = work.state.links.find((each) => each.connection === work.connection.slug && each.person === person.id);
  if (record.isFiltered && link === undefined) return skip;
  const after = changePerson(work.connection.key === "employee_id" ? record : keepZeros(record, person), person, {
    connection: work.connection,
    link,
    elsewhere: elsewhereOf(person, { ...work, byHand: work.input.byHand }),
    byHand: work.input.byHand,
    readsStatus: hasReadStatus({ ...work.connection, memory: work.memory }),
    isOnlyLeaving,
    today: work.input.today,
  });
  return {
    ...skip,
    outcome: outcomeOf(person, after),
    person: after,
    isOnlyLeaving,
    counted: countedOf(person, after),
  };
}

/** Whom a row is about or may be about. */
export function peopleOf(match: Match | null): readonly Person[] {
  if (match === null) return [];
  if (match.kind === "unmatched") return match.holder === null ? [] : [match.holder];
  return match.kind === "refused" ? match.names : [match.person];
}

function outcomeOf(before: Person, after: Person): Outcome {
  if (before.active !== after.active) return after.active ? "reactivated" : "deactivated";
  return changed(before, after).length > 0 ? "updated" : "unchanged";
}

const changed = (before: Person, after: Person) =>
  (Object.keys(before.values) as (keyof Person["values"])[]).filter((field) =>
    before.values[field] !== after.values[field]
  );

function countedOf(before: Person, after: Person): Counted {
  const different = changed(before, after).filter((field) => before.values[field] !== null);
  const [was, is] = [before.values.deactivation_date, after.values.deactivation_date];
  const isDated = before.active && after.active && is !== null && (was === null || is < was);
  return {
    leaving: (before.active && !after.active) || isDated,
    identity: different.includes("email") || different.includes("employee_id") ||
      (different.includes("first_name") && different.includes("last_name")),
    update: before.active === after.active && different.length > 0,
  };
}

/** Two records that claim one user are both refused. */
function claimedOnce(planned: readonly Planned[], rejected: readonly Matched[]): Planned[] {
  return planned.map((each) => {
    const isShared = each.person !== null && (
      planned.some((other) => other !== each && (claimOf(other) === each.person!.id || mayBeOf(other, each.person!))) ||
      rejected.some((other) => mayBeOf(other, each.person!))
    );
    return isShared ? refuse(each, [each.person!]) : each;
  });
}

/** A row whose key and number are two people's claims the one of its key, though it is refused. */
function claimOf({ person, match, record }: Planned): number | undefined {
  const claimed = match?.kind === "refused" && record.errors.length === 0 ? match.claimed : null;
  return person?.id ?? claimed?.id;
}

/** Whether a row that is refused has the number of somebody to whom another one gives a new number: it may be theirs. */
function mayBeOf({ match }: Matched, { id, values }: Person): boolean {
  if (match?.kind !== "refused" || match.by !== "employee_id" || match.contradicted?.id !== id) return false;
  return match.contradicted.values.employee_id !== values.employee_id;
}

/** `others`: whom the error names beside the person whom the row is about. */
export function refuse(planned: Planned, others: readonly Person[]): Planned {
  const names = [...peopleOf(planned.match), ...others];
  return { ...planned, outcome: "failed", code: "identity_conflict", names, person: null, counted: UNCOUNTED };
}

/**
 * Refused where the address belongs to another active user who keeps it after this plan. Whoever is missing keeps it: a
 * refused row names them, and so they are not missing.
 */
function keepsToOwnAddress(each: Planned, planned: readonly Planned[], { state }: ToDecide): Planned {
  const { person } = each;
  if (person === null || !person.active || person.values.email === null) return each;
  const keeper = state.people.find((other) => {
    if (other.id === person.id || !other.active || other.values.email !== person.values.email) return false;
    const after = planned.find((one) => one.person?.id === other.id)?.person ?? other;
    return after.active && after.values.email === other.values.email;
  });
  return keeper === undefined ? each : refuse(each, [keeper]);
}

/** Refused where the key is somebody else's who does not move to another one. */
function keepsToOwnKey(each: Planned, planned: readonly Planned[], { state, connection }: ToDecide): Planned {
  const { person, record } = each;
  const link = state.links.find((one) => one.connection === connection.slug && one.key === record.key);
  if (person === null || link === undefined || link.person === person.id) return each;
  const keeper = state.people.find(({ id }) => id === link.person)!;
  const isGone = !keeper.active && keeper.values.employee_id !== null && record.values.employee_id != null &&
    keeper.values.employee_id !== record.values.employee_id;
  if (isGone || planned.some((one) => one.person?.id === keeper.id)) return each;
  return refuse(each, [keeper]);
}

/** What a record says of the status, or else what the one before it said. */
function wordOf({ status, isFiltered }: Record_, old: Link | undefined, { active }: Person) {
  if (status === "active" || status === "inactive") return { isActive: status === "active", isFiltered };
  return { isActive: old?.isActive ?? active, isFiltered: old?.isFiltered ?? false };
}

/** A person has at most one link to a connection: that of the last row about them. */
function linksAfter(planned: readonly Planned[], leavers: readonly number[], work: ToDecide): Link[] {
  const slug = work.connection.slug;
  const rows = planned.filter(({ person }) => person !== null);
  const links = work.state.links.filter((link) =>
    link.connection !== slug ||
    rows.every(({ person, record }) => person!.id !== link.person && record.key !== link.key)
  ).map((link) => {
    if (link.connection === slug) return leavers.includes(link.person) ? { ...link, leftAsMissing: true } : link;
    // Whoever sets the status next answers for it.
    const after = rows.find(({ person }) => person!.id === link.person)?.person;
    return leavers.includes(link.person) || after?.active ? { ...link, leftAsMissing: false } : link;
  });
  for (const { record, person } of rows) {
    const old = work.state.links.find((link) => link.connection === slug && link.person === person!.id);
    const leftAsMissing = (old?.leftAsMissing ?? false) && !person!.active && record.status !== "inactive";
    links.push({
      connection: slug,
      key: record.key!,
      person: person!.id,
      ...wordOf(record, old, person!),
      byHand: (old?.byHand ?? true) && work.input.byHand,
      missingSince: old?.missingSince ?? null,
      absences: old?.absences ?? 0,
      leftAsMissing,
    });
  }
  return links;
}
