/**
 * The planned rows of one input, as columns of numbers: the outcome of each, and the place of its change. About 50
 * bytes a row, so that a million rows need no objects. A candidate is its number here, from 0; only the functions below
 * know how columns encode their values. No I/O.
 */

/** The outcome of a row. */
export type Kind = "unchanged" | "created" | "updated" | "deactivated" | "reactivated" | "skipped" | "failed";

/** By the number in the column. */
const KINDS: readonly Kind[] = ["unchanged", "created", "updated", "deactivated", "reactivated", "skipped", "failed"];
const NUMBERS = Object.fromEntries(KINDS.map((kind, number) => [kind, number])) as Record<Kind, number>;
/** Letters of a run's `outcomes`, by the number of the kind. */
const LETTERS = "ncudrsf";

/** Flags of a candidate beside its kind. */
export const MARK = {
  warned: 1,
  givesEmail: 2,
  givesEmployeeId: 4,
  identity: 8,
  advancesDeactivation: 16,
  managerWithheld: 32,
  /** Not a row of the input, but a person missing from it. */
  absent: 64,
  active: 128,
  /** The change takes the place of a value: it does more than fill empty fields. */
  overwrites: 256,
  /** The user was active, and linked to the connection, before this plan. */
  wasLinked: 512,
  /** The user is made active again, and the row's cell for their leaving date is empty now. */
  dateGone: 1024,
  /** The row is an edit by hand of somebody whom automated connections know. */
  isEdit: 2048,
  /** The user was in the last input as well, and is active. */
  stayed: 4096,
} as const;
export type Mark = (typeof MARK)[keyof typeof MARK];

/** Issues that only the whole input shows. */
export const LATE = {
  sameKey: 1,
  sameEmail: 2,
  sameEmployeeId: 4,
  sameUser: 8,
  held: 16,
  managerUnknown: 32,
  managerSelf: 64,
  managerCycle: 128,
  managersDisagree: 256,
  managerKept: 512,
  managerConflict: 1024,
  samePhone: 2048,
  exchanged: 4096,
} as const;
export type Late = (typeof LATE)[keyof typeof LATE];

const OF_MANAGERS = LATE.managerUnknown | LATE.managerSelf | LATE.managerCycle | LATE.managersDisagree |
  LATE.managerKept | LATE.managerConflict;

export interface Candidates {
  readonly size: number;
}

interface Columns {
  size: number;
  /** Row's place in the input, from 0; -1: none. */
  n: Int32Array;
  /** As in Row; 0 for none. */
  line: Int32Array;
  /** Existing user, or the number reserved for a new one; 0 for none. */
  user: Float64Array;
  kind: Uint8Array;
  marks: Uint16Array;
  late: Uint16Array;
  /** Where its change is: page, or -1; place in the page. */
  page: Int32Array;
  index: Int32Array;
  /** Reference + 1 of the manager it names; 0: it names none; -1: it takes the manager away. */
  manager: Int32Array;
  /** The user's manager before this plan, 0 for none; null while no user has one. */
  managerBefore: Float64Array | null;
  /** Place + 1 of its new department among the planned ones; 0 for none. */
  department: Int32Array;
  /** Of users who were in the last input: which fields had a value, and which have one now, by bit; null while none was. */
  had: Int32Array | null;
  has: Int32Array | null;
}

export function createCandidates(): Candidates {
  const capacity = 1024;
  const columns: Columns = {
    size: 0,
    n: new Int32Array(capacity),
    line: new Int32Array(capacity),
    user: new Float64Array(capacity),
    kind: new Uint8Array(capacity),
    marks: new Uint16Array(capacity),
    late: new Uint16Array(capacity),
    page: new Int32Array(capacity),
    index: new Int32Array(capacity),
    manager: new Int32Array(capacity),
    managerBefore: null,
    department: new Int32Array(capacity),
    had: null,
    has: null,
  };
  return columns;
}

/** Adds a row and returns its number. */
export function addCandidate(candidates: Candidates, n: number, line: number | null): number {
  const columns = candidates as Columns;
  const candidate = columns.size++;
  if (candidate === columns.n.length) grow(columns);
  columns.n[candidate] = n;
  columns.line[candidate] = line ?? 0;
  columns.page[candidate] = -1;
  return candidate;
}

/** Adds a person who is missing from the input. */
export function addAbsent(candidates: Candidates, userId: number): number {
  const candidate = addCandidate(candidates, -1, null);
  setUser(candidates, candidate, userId);
  mark(candidates, candidate, MARK.absent);
  return candidate;
}

function grow(columns: Columns): void {
  const all = columns as unknown as Record<string, Int32Array<ArrayBuffer> | number | null>;
  for (const [name, column] of Object.entries(all)) {
    if (typeof column === "number" || column === null) continue;
    const larger = new (column.constructor as typeof Int32Array)(column.length * 2);
    larger.set(column);
    all[name] = larger;
  }
}

/** Row's place in the input, from 0. */
export function rowOf(candidates: Candidates, candidate: number): number {
  return (candidates as Columns).n[candidate]!;
}

/** As in Row. */
export function lineOf(candidates: Candidates, candidate: number): number | null {
  const line = (candidates as Columns).line[candidate]!;
  return line === 0 ? null : line;
}

/** The user of the candidate; 0 while there is none. */
export function userOf(candidates: Candidates, candidate: number): number {
  return (candidates as Columns).user[candidate]!;
}

export function hasUser(candidates: Candidates, candidate: number): boolean {
  return (candidates as Columns).user[candidate] !== 0;
}

export function setUser(candidates: Candidates, candidate: number, userId: number): void {
  (candidates as Columns).user[candidate] = userId;
}

export function kindOf(candidates: Candidates, candidate: number): Kind {
  return KINDS[(candidates as Columns).kind[candidate]!]!;
}

export function setKind(candidates: Candidates, candidate: number, kind: Kind): void {
  (candidates as Columns).kind[candidate] = NUMBERS[kind];
}

export function fail(candidates: Candidates, candidate: number): void {
  (candidates as Columns).kind[candidate] = NUMBERS.failed;
}

export function hasFailed(candidates: Candidates, candidate: number): boolean {
  return (candidates as Columns).kind[candidate] === NUMBERS.failed;
}

/** The row's letter in a run's `outcomes`. */
export function letterOf(candidates: Candidates, candidate: number): string {
  return LETTERS[(candidates as Columns).kind[candidate]!]!;
}

/** The letter of rows that are not candidates. */
export const UNCHANGED_LETTER = LETTERS[0]!;

export function mark(candidates: Candidates, candidate: number, mark: Mark): void {
  (candidates as Columns).marks[candidate]! |= mark;
}

export function isMarked(candidates: Candidates, candidate: number, mark: Mark): boolean {
  return ((candidates as Columns).marks[candidate]! & mark) !== 0;
}

export function noteLate(candidates: Candidates, candidate: number, late: Late): void {
  (candidates as Columns).late[candidate]! |= late;
}

export function isLate(candidates: Candidates, candidate: number, late: Late): boolean {
  return ((candidates as Columns).late[candidate]! & late) !== 0;
}

/** Whether it has any issue that only the whole input shows. */
export function hasLate(candidates: Candidates, candidate: number): boolean {
  return (candidates as Columns).late[candidate] !== 0;
}

/** Whether any of those issues is about its manager. */
export function hasLateManager(candidates: Candidates, candidate: number): boolean {
  return ((candidates as Columns).late[candidate]! & OF_MANAGERS) !== 0;
}

/** The page of its change, if it is on one. */
export function pageOf(candidates: Candidates, candidate: number): number | null {
  const page = (candidates as Columns).page[candidate]!;
  return page < 0 ? null : page;
}

/** The place of its change in that page. */
export function indexOf(candidates: Candidates, candidate: number): number {
  return (candidates as Columns).index[candidate]!;
}

export function putOnPage(candidates: Candidates, candidate: number, page: number, index: number): void {
  (candidates as Columns).page[candidate] = page;
  (candidates as Columns).index[candidate] = index;
}

export function takeOffPage(candidates: Candidates, candidate: number): void {
  (candidates as Columns).page[candidate] = -1;
}

/** Notes the manager that its row names, by the reference's number. */
export function nameManager(candidates: Candidates, candidate: number, reference: number): void {
  (candidates as Columns).manager[candidate] = reference + 1;
}

/** Notes that its row takes the manager away. */
export function nameNoManager(candidates: Candidates, candidate: number): void {
  (candidates as Columns).manager[candidate] = -1;
}

/** The reference that its row names; null: the row takes the manager away; undefined: it leaves the manager alone. */
export function managerNamed(candidates: Candidates, candidate: number): number | null | undefined {
  const reference = (candidates as Columns).manager[candidate]!;
  return reference > 0 ? reference - 1 : reference === 0 ? undefined : null;
}

/** Whether any row names a manager, or takes one away. */
export function anyNamesManager(candidates: Candidates): boolean {
  return (candidates as Columns).manager.some((reference) => reference !== 0);
}

/** The manager that its user has before this plan. */
export function managerBefore(candidates: Candidates, candidate: number): number | null {
  const { managerBefore } = candidates as Columns;
  const manager = managerBefore === null ? 0 : managerBefore[candidate]!;
  return manager === 0 ? null : manager;
}

export function setManagerBefore(candidates: Candidates, candidate: number, manager: number | null): void {
  if (manager === null) return;
  const columns = candidates as Columns;
  columns.managerBefore ??= new Float64Array(columns.n.length);
  columns.managerBefore[candidate] = manager;
}

/** Notes that it needs a new department, by the department's place among the planned ones. */
export function needDepartment(candidates: Candidates, candidate: number, place: number): void {
  (candidates as Columns).department[candidate] = place + 1;
}

/** Place of its new department among the planned ones. */
export function departmentNeeded(candidates: Candidates, candidate: number): number | null {
  const place = (candidates as Columns).department[candidate]!;
  return place === 0 ? null : place - 1;
}

/** Notes of a user who was in the last input which fields had a value, and which have one now, by bit. */
export function setFilled(candidates: Candidates, candidate: number, had: number, has: number): void {
  const columns = candidates as Columns;
  columns.had ??= new Int32Array(columns.n.length);
  columns.has ??= new Int32Array(columns.n.length);
  columns.had[candidate] = had;
  columns.has[candidate] = has;
  mark(candidates, candidate, MARK.stayed);
}

export function filledBefore(candidates: Candidates, candidate: number): number {
  return (candidates as Columns).had![candidate]!;
}

export function filledNow(candidates: Candidates, candidate: number): number {
  return (candidates as Columns).has![candidate]!;
}
