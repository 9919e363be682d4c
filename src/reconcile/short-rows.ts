/**
 * Rows with fewer cells than the header. A spreadsheet leaves the empty cells at the end of a row out, in blocks of rows:
 * those cells are absent columns. A line that was broken in two leaves two short rows, which are errors. Which of them a
 * row is, only the whole input shows, so the first rows of each length wait for its end. Pure.
 */
import type { Issue, Row } from "../model/record.ts";

/** A short row of an input whose header has `columns` cells. */
export interface ShortRow {
  /** Its place in the input. */
  readonly n: number;
  readonly line: number | null;
  readonly cells: number;
  readonly columns: number;
  /** Whether its key is that of nobody who is known, or cannot be read. */
  readonly isNobody: boolean;
}

export interface ShortRows {
  /** Notes the row; returns whether it has to wait for the end of the input. */
  add(row: ShortRow): boolean;
  /** Whether the row and one beside it were one line. Final once all rows have been added. */
  isBroken(n: number): boolean;
  /** Whether there are several rows with so many cells. Final once all rows have been added. */
  isUsual(cells: number): boolean;
  /** A short row was used: what it does not have was left alone. */
  use(line: number | null): void;
  used(): { readonly count: number; readonly lines: readonly number[] };
}

/** Both halves of a broken line may have the same length. */
const WAITING = 2;
/** Lines that an issue names. */
export const MOST_LINES = 5;
/** Refusals of values that have a form: one of them shows that values are not under their headers. */
const OF_FORM: ReadonlySet<string> = new Set([
  "email_invalid",
  "date_invalid",
  "value_invalid",
  "option_unknown",
  "number_mangled",
]);

export function isShort({ cells, columns }: Row): boolean {
  return cells.length < columns.length;
}

export function createShortRows(): ShortRows {
  const counts = new Map<number, number>();
  /** The first rows of each length, by their places. */
  const first = new Map<number, ShortRow>();
  const lines: number[] = [];
  let used = 0;

  /** Whether two rows that follow each other have one cell more than the header, and lengths that no others have. */
  function wereOne(above: ShortRow | undefined, below: ShortRow | undefined): boolean {
    if (above === undefined || below === undefined || !below.isNobody) return false;
    if (above.cells + below.cells !== above.columns + 1) return false;
    const own = above.cells === below.cells ? WAITING : 1;
    return counts.get(above.cells) === own && counts.get(below.cells) === own;
  }

  return {
    add(row) {
      const count = (counts.get(row.cells) ?? 0) + 1;
      counts.set(row.cells, count);
      if (count <= WAITING) first.set(row.n, row);
      return count <= WAITING;
    },
    isBroken: (n) => wereOne(first.get(n), first.get(n + 1)) || wereOne(first.get(n - 1), first.get(n)),
    isUsual: (cells) => (counts.get(cells) ?? 0) > 1,
    use(line) {
      used++;
      if (line !== null && lines.length < MOST_LINES) lines.push(line);
    },
    used: () => ({ count: used, lines: lines.toSorted((a, b) => a - b) }),
  };
}

/** Whether the issues show that values are not under their headers. */
export function areShifted(issues: readonly Issue[]): boolean {
  return issues.some(({ code }) => OF_FORM.has(code));
}
