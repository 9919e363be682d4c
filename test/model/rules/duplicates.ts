/** Rows of one input that are about the same person: one of them counts, or none. */
import { groupBy } from "./group.ts";
import type { Record_ } from "./record.ts";

export interface Sorted {
  /** The rows that go on, each key once. */
  readonly counting: readonly Record_[];
  /** Rows beside the one that counts. */
  readonly skipped: readonly Record_[];
  readonly rejected: readonly Record_[];
  /** Keys of which nothing but the leaving is known. */
  readonly onlyLeaving: ReadonlySet<string>;
}

/** `isOfStaff`: whether somebody is active by the record, or stays active with it. */
export function sortDuplicates(records: readonly Record_[], isOfStaff: (record: Record_) => boolean): Sorted {
  const skipped: Record_[] = [], rejected: Record_[] = [], onlyLeaving = new Set<string>();
  const single = records.filter(({ key }) => key === null);
  for (const rows of groupBy(records.filter(({ key }) => key !== null), ({ key }) => key!)) {
    const different = groupBy(rows, whatItSays).map(([row]) => row!);
    const staying = different.filter(({ status }) => status !== "inactive");
    if (different.length > 1 && staying.length > 1) {
      rejected.push(...rows);
      continue;
    }
    const chosen = different.length === 1 ? different[0]! : staying[0] ?? latest(different);
    if (chosen === null) onlyLeaving.add(rows[0]!.key!);
    const one = chosen ?? different.toSorted(byPlainness)[0]!;
    single.push(one);
    skipped.push(...rows.filter((row) => row !== one));
  }
  const active = [...single, ...rejected].filter(isOfStaff);
  for (const field of ["email", "employee_id"] as const) {
    for (
      const rows of groupBy(
        active.filter(({ key, values }) => (values[field] ?? null) !== null && (field === "email" || key !== null)),
        (row) => row.values[field]!,
      )
    ) {
      if (rows.length > 1) rejected.push(...rows.filter((row) => !rejected.includes(row)));
    }
  }
  const counting = single.filter((record) => !rejected.includes(record)).map((record) =>
    onlyLeaving.has(record.key!) ? { ...record, values: keyOf(record), manager: {} } : record
  );
  return { counting, skipped, rejected, onlyLeaving };
}

/** A word is plainer than a day that has come, and that than a filter that leaves them out; and so is a row without errors. */
function byPlainness(a: Record_, b: Record_): number {
  const rank = ({ word, isFiltered }: Record_) => word === "inactive" ? 0 : isFiltered ? 2 : 1;
  return rank(a) - rank(b) || a.errors.length - b.errors.length;
}

/** Of rows that do not agree nothing is used but that their key's person has left, so they contradict nobody either. */
function keyOf({ key, values }: Record_): Record_["values"] {
  if (values.employee_id === key) return { employee_id: key };
  return values.email === key ? { email: key } : { mobile_phone: values.mobile_phone };
}

/** Whatever its cells look like. */
function whatItSays({ values, manager, status, word, isFiltered, errors, unread }: Record_): string {
  const stated = Object.entries({ ...values, ...manager }).toSorted(([a], [b]) => a < b ? -1 : 1);
  return JSON.stringify([stated, status, word, isFiltered, errors.map(({ code, field }) => [code, field]), unread]);
}

/** The one row with the latest leaving day, or null where that decides nothing. */
function latest(rows: readonly Record_[]): Record_ | null {
  const dates = rows.map(({ values }) => values.deactivation_date ?? "").toSorted();
  const last = dates.at(-1)!;
  const those = rows.filter(({ values }) => (values.deactivation_date ?? "") === last);
  return last !== "" && those.length === 1 ? those[0]! : null;
}
