/** The days that are measured, in order, and their targets. No I/O. No clock. */
import type { FileName } from "./files.ts";

/** What Muster is to reach on a day, by the number of people: its time as so many times the sqlite3 tool's at most. */
export interface Target {
  readonly maxRatio: number;
  readonly maxPeakMb?: number;
}

/** One day's file on every system. */
export interface Day {
  /** As `--only` names it. */
  readonly name: string;
  /** As the table names it. */
  readonly scenario: string;
  readonly file: FileName;
  readonly targets: Readonly<Record<number, Target>>;
}

/** Days that follow each other on one database. A day needs all the days before it. */
export const CHAINS: Record<string, readonly Day[]> = {
  sorted: [
    {
      name: "first",
      scenario: "first import, sorted",
      file: "sorted",
      targets: { 100_000: { maxRatio: 2.5 }, 1_000_000: { maxRatio: 1.7, maxPeakMb: 300 } },
    },
    {
      name: "unchanged",
      scenario: "nothing changed, new order",
      file: "reordered",
      targets: { 100_000: { maxRatio: 0.9 }, 1_000_000: { maxRatio: 0.27, maxPeakMb: 230 } },
    },
    {
      name: "changed",
      scenario: "1 % changed, new order",
      file: "changed",
      targets: { 1_000_000: { maxRatio: 0.42, maxPeakMb: 230 } },
    },
    {
      name: "requoted",
      scenario: "nothing changed, written otherwise",
      file: "requoted",
      targets: { 1_000_000: { maxRatio: 0.9, maxPeakMb: 230 } },
    },
    {
      name: "again",
      scenario: "the same, the day after",
      file: "requotedAgain",
      targets: { 1_000_000: { maxRatio: 1.1, maxPeakMb: 230 } },
    },
  ],
  shuffled: [
    {
      name: "shuffled",
      scenario: "first import, shuffled",
      file: "shuffled",
      targets: { 1_000_000: { maxRatio: 1.4, maxPeakMb: 300 } },
    },
  ],
};
