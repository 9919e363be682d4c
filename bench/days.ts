/** The days that are measured, in order, and their targets. No I/O. No clock. */
import type { FileName } from "./files.ts";

/** One day's file on every system, and what Muster is to reach on it. */
export interface Day {
  /** As `--only` names it. */
  readonly name: string;
  /** As the table names it. */
  readonly scenario: string;
  readonly file: FileName;
  /** Muster's time at most this many times the sqlite3 tool's. */
  readonly maxRatio: number;
  readonly maxPeakMb: number | null;
}

/** Days that follow each other on one database. A day needs all the days before it. */
export const CHAINS: Record<string, readonly Day[]> = {
  sorted: [
    { name: "first", scenario: "first import, sorted", file: "sorted", maxRatio: 2, maxPeakMb: 400 },
    { name: "unchanged", scenario: "nothing changed, new order", file: "reordered", maxRatio: 0.35, maxPeakMb: 250 },
    { name: "changed", scenario: "1 % changed, new order", file: "changed", maxRatio: 0.5, maxPeakMb: null },
    {
      name: "requoted",
      scenario: "nothing changed, written otherwise",
      file: "requoted",
      maxRatio: 1.2,
      maxPeakMb: 250,
    },
    { name: "again", scenario: "the same, the day after", file: "requotedAgain", maxRatio: 1.2, maxPeakMb: 250 },
  ],
  shuffled: [
    { name: "shuffled", scenario: "first import, shuffled", file: "shuffled", maxRatio: 3.5, maxPeakMb: 400 },
  ],
};
