/** Which columns hold employment statuses, by counting their cells: those of earlier inputs, and of the rows read now. Pure. */
import type { ColumnMemory } from "../model/connection.ts";

export interface StatusCells {
  note(header: string, isWord: boolean): void;
  /** Whether most cells of the column hold employment statuses, as far as rows were read. */
  areStatuses(header: string): boolean;
  /** What all rows have decided of the column; null: nothing yet. */
  decided(header: string): boolean | null;
  /** Columns that all rows have decided to hold something else. */
  decidedAgainst(): string[];
  /** Columns of the rows that were read. */
  headers(): string[];
  /** Forgets the rows that were read. `isDecided`: those were all, and what they show holds from now on. */
  startAgain(isDecided: boolean): void;
  /** With those of earlier inputs. */
  counts(): ColumnMemory["statusCells"];
}

type Counts = readonly [words: number, others: number];

export function createStatusCells(counted: ColumnMemory["statusCells"]): StatusCells {
  let cells = new Map<string, [words: number, others: number]>();
  const decided = new Map<string, boolean>();

  function countsOf(header: string): Counts {
    const [known, other] = counted[header] ?? [0, 0], [more, others] = cells.get(header) ?? [0, 0];
    return [known + more, other + others];
  }

  function areStatuses(header: string): boolean {
    const [known, other] = countsOf(header);
    return known > other;
  }

  return {
    note(header, isWord) {
      const counts = cells.get(header) ?? [0, 0];
      counts[isWord ? 0 : 1]++;
      cells.set(header, counts);
    },
    areStatuses,
    decided: (header) => decided.get(header) ?? null,
    decidedAgainst: () => [...decided].filter(([, isOne]) => !isOne).map(([header]) => header).sort(),
    headers: () => [...cells.keys()],
    startAgain(isDecided) {
      if (isDecided) { for (const header of cells.keys()) decided.set(header, areStatuses(header)); }
      cells = new Map();
    },
    counts: () =>
      Object.fromEntries(
        [...new Set([...Object.keys(counted), ...cells.keys()])].map((header) => [header, countsOf(header)]),
      ),
  };
}
