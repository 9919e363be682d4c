/**
 * Whom the rows of an input are about, so that rows of one person, or of people who exchange their values, stay together
 * when only some of an input's rows are planned. A name is a digest of a user's id, or of a value by which a row names its
 * person. No I/O.
 */
import type { Found } from "./match.ts";
import { textOf } from "./person.ts";
import type { Validated } from "./validated.ts";

/** Which of an input's rows a plan is made of, and whom it finds that they are about. */
export interface RowChoice {
  /** Places of rows that another run brings: they are no part of the plan. */
  readonly leftOut: ReadonlySet<number>;
  /** Null: nobody asks whom they are about; else rows with known digests are planned as well. */
  readonly names: RowNames | null;
}

export interface RowNames {
  /** Notes whom a row is about, by its place in the input. */
  note(n: number, record: Validated, found: Found): void;
  /** Rows that have been noted. */
  rows(): number[];
  /** Of these rows, each once; without `rows`, of all. */
  of(rows?: Iterable<number>): string[];
  /** The rows that have one of these names. */
  rowsWith(names: ReadonlySet<string>): number[];
  /** These rows with all that share a name with them, directly or by others. */
  together(rows: Iterable<number>): Set<number>;
}

/** `digest`: of a text, keyed, so that a name shows nothing of the person. */
export function createRowNames(digest: (text: string) => string): RowNames {
  const byRow = new Map<number, ReadonlySet<string>>();
  const byName = new Map<string, number[]>();
  const namesOf = (n: number) => byRow.get(n) ?? new Set<string>();
  return {
    note(n, record, found) {
      if (byRow.has(n)) return;
      const names = new Set(textsOf(record, found).map(digest));
      byRow.set(n, names);
      for (const name of names) {
        const rows = byName.get(name);
        if (rows === undefined) byName.set(name, [n]);
        else rows.push(n);
      }
    },
    rows: () => [...byRow.keys()],
    of: (rows = byRow.keys()) => [...new Set([...rows].flatMap((n) => [...namesOf(n)]))],
    rowsWith: (names) => [...new Set([...names].flatMap((name) => byName.get(name) ?? []))],
    together(rows) {
      const all = new Set(rows);
      // A set is walked through to its end, together with what is added on the way.
      for (const n of all) for (const name of namesOf(n)) for (const other of byName.get(name)!) all.add(other);
      return all;
    },
  };
}

function textsOf({ key, values }: Validated, found: Found): string[] {
  const users = [
    found.link?.userId,
    found.byEmployeeId?.id,
    ...[...found.byEmail, ...found.byPhone, ...found.spelledAlike].map(({ id }) => id),
  ];
  const email = textOf(values.email), employeeId = textOf(values.employee_id);
  return [
    ...users.flatMap((id) => id === undefined ? [] : [nameOfUser(id)]),
    ...(key === null ? [] : [nameOfValue("key", key)]),
    ...(email === null ? [] : [nameOfValue("email", email)]),
    ...(employeeId === null ? [] : [nameOfValue("employee_id", employeeId)]),
  ];
}

const KINDS = ["key", "email", "employee_id"] as const;

function nameOfValue(kind: (typeof KINDS)[number], value: string): string {
  return `${kind} ${value}`;
}

/** All that is digested of a user who has these values. */
export function namesOfUser(id: number, values: readonly string[]): string[] {
  return [nameOfUser(id), ...KINDS.flatMap((kind) => values.map((value) => nameOfValue(kind, value)))];
}

/** What is digested of a user's id. */
export function nameOfUser(id: number): string {
  return `user ${id}`;
}
