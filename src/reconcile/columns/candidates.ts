/**
 * The rows of one input that had to be looked at, as columns of numbers: what became of each, and where its change is.
 * About 50 bytes a row, so that a million rows need no objects. No I/O.
 */

export const UNCHANGED = 0, CREATED = 1, UPDATED = 2, DEACTIVATED = 3, REACTIVATED = 4, SKIPPED = 5, FAILED = 6;

/** Letters of a run's `outcomes`, by kind. */
export const OUTCOMES = "ncudrsf";

/** Bits of `flags`. */
export const WARNED = 1,
  GIVES_EMAIL = 2,
  GIVES_EMPLOYEE_ID = 4,
  IDENTITY = 8,
  ADVANCES_DEACTIVATION = 16,
  MANAGER_WITHHELD = 32,
  /** Not a row of the input: somebody missing from it. */
  ABSENT = 64,
  ACTIVE = 128;

/** Bits of `late`: issues that only the whole input could tell. */
export const LATE_KEY = 1,
  LATE_EMAIL = 2,
  LATE_EMPLOYEE_ID = 4,
  LATE_USER = 8,
  LATE_HELD = 16,
  LATE_MANAGER_UNKNOWN = 32,
  LATE_MANAGER_SELF = 64,
  LATE_MANAGER_CYCLE = 128,
  LATE_MANAGER_DISAGREES = 256,
  LATE_MANAGER_KEPT = 512,
  LATE_MANAGER_CONFLICT = 1024;

export interface Candidates {
  size: number;
  /** Row's place in the input, from 0. */
  n: Int32Array;
  /** As in Row; 0 for none. */
  line: Int32Array;
  /** Existing user, or the number reserved for a new one; 0 for none. */
  user: Float64Array;
  kind: Uint8Array;
  flags: Uint8Array;
  late: Uint16Array;
  /** Where its change is: page, or -1; place in the page. */
  page: Int32Array;
  index: Int32Array;
  /** Index + 1 of the manager it names; 0: does not say; -1: none. */
  manager: Int32Array;
  /** The user's manager before, where any of them has one (managerNow). */
  managersNow: Float64Array | null;
  /** Place + 1 of its new department among the planned ones; 0 for none. */
  department: Int32Array;
}

export function createCandidates(): Candidates {
  const capacity = 1024;
  return {
    size: 0,
    n: new Int32Array(capacity),
    line: new Int32Array(capacity),
    user: new Float64Array(capacity),
    kind: new Uint8Array(capacity),
    flags: new Uint8Array(capacity),
    late: new Uint16Array(capacity),
    page: new Int32Array(capacity),
    index: new Int32Array(capacity),
    manager: new Int32Array(capacity),
    managersNow: null,
    department: new Int32Array(capacity),
  };
}

/** Adds a row and gives its number. */
export function addCandidate(candidates: Candidates, n: number, line: number | null): number {
  const candidate = candidates.size++;
  if (candidate === candidates.n.length) grow(candidates);
  candidates.n[candidate] = n;
  candidates.line[candidate] = line ?? 0;
  candidates.page[candidate] = -1;
  return candidate;
}

/** The manager that the candidate's user has before this plan; 0 for none. */
export function managerNow({ managersNow }: Candidates, candidate: number): number {
  return managersNow === null ? 0 : managersNow[candidate]!;
}

export function setManagerNow(candidates: Candidates, candidate: number, manager: number): void {
  if (manager === 0 && candidates.managersNow === null) return;
  candidates.managersNow ??= new Float64Array(candidates.n.length);
  candidates.managersNow[candidate] = manager;
}

function grow(candidates: Candidates): void {
  const columns = candidates as unknown as Record<string, Int32Array<ArrayBuffer> | number | null>;
  for (const [name, column] of Object.entries(columns)) {
    if (typeof column === "number" || column === null) continue;
    const larger = new (column.constructor as typeof Int32Array)(column.length * 2);
    larger.set(column);
    columns[name] = larger;
  }
}
