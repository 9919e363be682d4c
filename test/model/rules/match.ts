/** Who a record is about. */
import { isAccepted } from "./decisions.ts";
import { compare, compareNames, contradicts, type FoundBy, haveSameWords, seemsSomebodyElse } from "./contradiction.ts";
import { areSpelledAlike, foldPhone } from "./phones.ts";
import type { Record_ } from "./record.ts";
import type { Connection, Link, Person, State } from "./state.ts";

export type Match =
  | { readonly kind: "known"; readonly person: Person; readonly by: FoundBy; readonly isOnlyLeaving: boolean }
  | { readonly kind: "rekeyed"; readonly person: Person }
  /** `holder`: somebody active under another number who has the row's address, and may keep it. */
  | { readonly kind: "unmatched"; readonly holder: Person | null }
  /** `names`: whom the error names. `contradicted`: whom the row would make somebody else. */
  | {
    readonly kind: "refused";
    readonly code: "identity_conflict" | "zeros_lost";
    /** Whom the error names. */
    readonly names: readonly Person[];
    /** Whom the row would make somebody else. */
    readonly contradicted: Person | null;
    /** Whose key the row has, though it has the number of somebody else. */
    readonly claimed: Person | null;
    readonly by: FoundBy;
  };

export interface Matched {
  readonly record: Record_;
  /** Null where the key cannot be read. */
  readonly match: Match | null;
}

export interface Among {
  readonly state: State;
  readonly connection: Connection;
  /** Rows that were not rejected as duplicates. */
  readonly records: readonly Record_[];
  /** All rows, whatever becomes of them. */
  readonly all: readonly Record_[];
  /** Every key that could be read in the input, and in the parts before it. */
  readonly keys: ReadonlySet<string>;
  /** Whom the parts before this one show, by id. */
  readonly seenBefore: ReadonlySet<number>;
  /** A complete full input in which every key could be read. */
  readonly showsEverybody: boolean;
  /** Whom rows with a new number are about, by id: they are nobody else's either. */
  readonly rekeyed: ReadonlySet<number>;
}

/** Each record with whom it is about; null where its key cannot be read. */
export function matchAll(records: readonly Record_[], among: Omit<Among, "rekeyed">): (Match | null)[] {
  const match = (record: Record_, rekeyed: ReadonlySet<number>) =>
    record.key === null ? null : matchSpelled(record, { ...among, rekeyed });
  const first = records.map((record) => match(record, new Set()));
  const rekeyed = new Set(first.flatMap((each) => each?.kind === "rekeyed" ? [each.person.id] : []));
  return records.map((record, index) => first[index]?.kind === "rekeyed" ? first[index] : match(record, rekeyed));
}

/** Refused where its phone is the key, and may be somebody else's in another spelling. */
function matchSpelled(record: Record_, among: Among): Match {
  const match = matchRecord(record, among), phone = record.values.mobile_phone ?? null;
  if (match.kind === "refused" && match.code === "zeros_lost") return match;
  if (among.connection.key !== "mobile_phone" || phone === null || isLinked(record, among)) return match;
  const own = match.kind === "known" || match.kind === "rekeyed" ? match.person : null;
  const alike = among.state.people.filter((person) =>
    person !== own && person.values.mobile_phone !== null && areSpelledAlike(person.values.mobile_phone, phone)
  );
  const isTwice = among.all.some((other) =>
    other.key !== null && other.errors.length === 0 && !isLinked(other, among) &&
    areSpelledAlike(other.values.mobile_phone!, phone)
  );
  return alike.length > 0 || isTwice ? refused(alike) : match;
}

function isLinked(record: Record_, among: Among): boolean {
  const link = linkOf(record, among);
  return link !== null && !hasMoved(record, link, among);
}

function matchRecord(record: Record_, among: Among): Match {
  const { state } = among;
  const id = record.values.employee_id ?? null;
  const linked = linkOf(record, among), own = linked !== null && hasMoved(record, linked, among) ? null : linked;
  const holder = id === null ? null : state.people.find(({ values }) => values.employee_id === id) ?? null;
  if (own !== null) {
    const person = state.people.find(({ id }) => id === own.person)!;
    const keepsId = among.connection.key !== "employee_id" && keepZeros(record, person) !== record;
    if (holder !== null && holder !== person && !keepsId) return refused([person, holder], person);
    return settle(record, person, "link", own, among);
  }
  if (holder !== null) {
    if (fits(record, holder, among)) return settle(record, holder, "employee_id", null, among);
    const areTwo = areTwoPeople(record, holder) && getsNumber(holder, among);
    return areTwo ? matchByEmail(record, among) : contradiction(holder, "employee_id");
  }
  const withZeros = zerosLost(record, among);
  if (withZeros !== null) {
    return { kind: "refused", code: "zeros_lost", names: [withZeros], contradicted: null, claimed: null, by: "link" };
  }
  return matchByEmail(record, among);
}

/**
 * Whether the link goes to another key, and so the record is about somebody else: it contradicts the person, and another
 * record has their number and fits them.
 */
function hasMoved(record: Record_, link: Link, among: Among): boolean {
  const person = among.state.people.find(({ id }) => id === link.person)!;
  if (settle(record, person, "link", link, among).kind === "known") return false;
  // Whatever becomes of that one: if it is refused, this row is, too, as nobody gives the key up.
  return among.all.some((other) =>
    other.key !== null && other.key !== record.key && other.errors.length === 0 &&
    (other.values.employee_id ?? null) !== null && other.values.employee_id === person.values.employee_id &&
    linkOf(other, among)?.person !== person.id && fits(other, person, among)
  );
}

/** Whether record and person are two people for certain. */
function areTwoPeople({ values }: Record_, person: Person): boolean {
  const { first, last } = compareNames(person.values, values);
  return compare(person.values.email, values.email) === "differs" && first === "differs" && last === "differs";
}

/** Whether a row of a person's own, or one with a new key, gives them another number. */
function getsNumber(person: Person, among: Among): boolean {
  return among.rekeyed.has(person.id) || among.records.some((other) => {
    const link = linkOf(other, among), number = other.values.employee_id;
    return link?.person === person.id && other.errors.length === 0 && number !== undefined &&
      number !== person.values.employee_id && keepZeros(other, person) === other &&
      settle(other, person, "link", link, among).kind === "known";
  });
}

/** Whether a record with a person's number is theirs. */
function fits(record: Record_, person: Person, among: Among): boolean {
  const isOther = compare(record.values.email, person.values.email) === "differs";
  const { first, last } = compareNames(record.values, person.values);
  if (isOther && (first !== "agrees" || last !== "agrees")) return false;
  return settle(record, person, "employee_id", null, among).kind === "known";
}

function matchByEmail(record: Record_, among: Among): Match {
  const { state, connection } = among;
  const email = record.values.email ?? null, id = record.values.employee_id ?? null;
  const hasOtherId = (person: Person) => hasOther(person, id);
  const isByEmail = ({ values }: Person) => email !== null && values.email === email;
  const isByPhone = ({ values }: Person) =>
    connection.key === "mobile_phone" && values.mobile_phone !== null && foldPhone(values.mobile_phone) === record.key;
  const all = state.people.filter((person) =>
    (isByEmail(person) || isByPhone(person)) && (person.active || !hasOtherId(person)) && !hasOwnRow(person, among)
  );
  // Whose phone it is under another number does not fit, if anybody else does.
  const own = all.filter((person) => isByEmail(person) || !hasOtherId(person)), fitting = own.length > 0 ? own : all;
  const active = fitting.filter((person) => person.active);
  if (fitting.length > 1 && active.length !== 1) return refused(fitting);
  const found = active[0] ?? fitting[0];
  if (found === undefined) return { kind: "unmatched", holder: null };
  if (!isByEmail(found)) {
    return hasOtherId(found) ? refused([found]) : settle(record, found, "mobile_phone", null, among);
  }
  const isLinked = state.links.some((link) => link.connection === connection.slug && link.person === found.id);
  const { first, last } = compareNames(record.values, found.values);
  const hired = compare(record.values.hire_date, found.values.hire_date);
  const agreeing = [first, last].filter((name) => name === "agrees").length;
  const canBe = isLinked && among.showsEverybody && found.active && !among.seenBefore.has(found.id);
  if (!canBe || agreeing === 0 || (agreeing === 2 && hired === "differs")) {
    // Whether the address is theirs after this plan shows at its end; a row that makes nobody claims none.
    const holder = all.find((person) => isByPhone(person) && person.active && hasOtherId(person));
    if (hasOtherId(found)) return holder !== undefined ? refused([holder]) : { kind: "unmatched", holder: found };
    return settle(record, found, isByPhone(found) ? "mobile_phone" : "email", null, among);
  }
  const isSame = agreeing === 2 || hired === "agrees" || isAccepted(state, connection.slug, record, found);
  return isSame ? { kind: "rekeyed", person: found } : contradiction(found, "email");
}

/** Somebody new with both names of a person who was in the last input and is not in this one: in doubt, but for the hire date. */
export function matchByName(record: Record_, among: Omit<Among, "rekeyed">): Match | null {
  const { state, connection } = among;
  if (!among.showsEverybody) return null;
  const gone = state.people.filter((person) => {
    const link = state.links.find((each) => each.connection === connection.slug && each.person === person.id);
    const { first, last } = compareNames(record.values, person.values);
    return person.active && link !== undefined && link.missingSince === null && !among.keys.has(link.key) &&
      !among.seenBefore.has(person.id) && first === "agrees" && last === "agrees" &&
      haveSameWords(record.values, person.values);
  });
  const hired = gone.filter(({ values }) => compare(record.values.hire_date, values.hire_date) === "agrees");
  if (hired.length === 1) return { kind: "rekeyed", person: hired[0]! };
  const [person] = gone;
  if (person === undefined) return null;
  return isAccepted(state, connection.slug, record, person)
    ? { kind: "rekeyed", person }
    : contradiction(person, "names");
}

/** Known, unless the record would make the person somebody else. */
function settle(record: Record_, person: Person, by: FoundBy, own: Link | null, { state, connection }: Among): Match {
  const link = own ?? state.links.find((each) => each.connection === connection.slug && each.person === person.id);
  const phone = record.values.mobile_phone ?? null;
  const withPhone = state.people.filter(({ values: { mobile_phone: theirs } }) =>
    phone !== null && theirs !== null && foldPhone(theirs) === foldPhone(phone)
  );
  const isOwnPhone = withPhone.length === 1 && withPhone[0] === person;
  const how = { by, key: connection.key, wasMissing: (link?.missingSince ?? null) !== null, isOwnPhone };
  if (contradicts(record, person, how)) {
    if (!isAccepted(state, connection.slug, record, person)) return contradiction(person, by);
    return { kind: "known", person, by, isOnlyLeaving: false };
  }
  return { kind: "known", person, by, isOnlyLeaving: seemsSomebodyElse(record, person, how) };
}

function refused(names: readonly Person[], claimed: Person | null = null): Match {
  return { kind: "refused", code: "identity_conflict", names, contradicted: null, claimed, by: "link" };
}

function contradiction(person: Person, by: FoundBy): Match {
  return { kind: "refused", code: "identity_conflict", names: [person], contradicted: person, claimed: null, by };
}

/** Whose own key, or number under another key, is in this input is nobody else's. */
function hasOwnRow(person: Person, among: Among): boolean {
  const { state, connection, keys, rekeyed } = among, number = person.values.employee_id;
  const isTheirs = (record: Record_) =>
    record.key !== null && record.errors.length === 0 && record.values.employee_id === number &&
    fits(record, person, among);
  return rekeyed.has(person.id) ||
    state.links.some((link) =>
      link.connection === connection.slug && link.person === person.id && keys.has(link.key)
    ) ||
    (number !== null && among.all.some(isTheirs));
}

/** Somebody whose number is the record's with zeros in front, and who has no row of their own that shows two people. */
function zerosLost(record: Record_, { state, connection, keys }: Among): Person | null {
  const given = record.values.employee_id ?? null;
  if (given === null || !/^[1-9]\d*$/.test(given)) return null;
  for (const person of state.people) {
    const id = person.values.employee_id;
    if (id === null || id.length <= given.length || given.padStart(id.length, "0") !== id) continue;
    const isHere = state.links.some((link) =>
      link.connection === connection.slug && link.person === person.id && keys.has(link.key)
    );
    if (!isHere || !areTwoPeople(record, person)) return person;
  }
  return null;
}

const hasOther = ({ values }: Person, id: string | null) =>
  id !== null && values.employee_id !== null && values.employee_id !== id;

/** A re-used address is a new person: an inactive user with another employee_id never fits it. */
function linkOf(record: Record_, { state, connection }: Among): Link | null {
  const link = state.links.find((each) => each.connection === connection.slug && each.key === record.key) ?? null;
  if (link === null || connection.key === "employee_id") return link;
  const person = state.people.find(({ id }) => id === link.person)!;
  return !person.active && hasOther(person, record.values.employee_id ?? null) ? null : link;
}

/** An id that is not the key does not lose its zeros. */
export function keepZeros(record: Record_, { values }: Person): Record_ {
  const given = record.values.employee_id ?? null, own = values.employee_id;
  if (given === null || own === null || !/^[1-9]\d*$/.test(given)) return record;
  if (given.length >= own.length || given.padStart(own.length, "0") !== own) return record;
  return { ...record, values: { ...record.values, employee_id: own } };
}
