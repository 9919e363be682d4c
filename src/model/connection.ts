/** The nouns of a connection: its settings, and what it remembers of its last inputs. */
/** When a connection fetches: a cron expression of five fields in a time zone (default: the organization's), or an interval. */
export type Schedule = { cron: string; timezone?: string } | { every_minutes: number };
/** By when an input is expected: `HH:MM` in a time zone (default: the organization's), on some days or on all. */
export interface ExpectedBy {
  time: string;
  timezone?: string;
  days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
}

/** The last input that this connection applied. */
export interface LastApplied {
  run: number;
  /** Of the input's bytes, followed by the encoding that its sender declared, if any. */
  sha256: string;
  settingsVersion: number;
  referenceVersion: number;
  dataVersion: number;
  /** Absent in what earlier versions kept. */
  readingVersion?: number;
  /** Whether the run had issues; absent in what earlier versions kept. */
  hadIssues?: 0 | 1;
}

/** How many rows an input had, and non-empty cells by field. */
export interface Filled {
  readonly rows: number;
  readonly filled: Readonly<Record<string, number>>;
  /** What the input called the column of each field; absent in what earlier versions kept. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The last complete full input, by entity. */
export type Baseline = { [entity in "users" | "departments"]?: Filled };

/** What the columns of a connection's people have shown in all inputs that were applied. */
export interface ColumnMemory {
  /** A word of people who work here, and one of people who have left, was read in the status column. */
  readonly active: boolean;
  readonly inactive: boolean;
  /** A deactivation_date was read. */
  readonly date: boolean;
  /** Those of A, I, T and F that were read in the status column, since the settings had this version. */
  readonly letters: string;
  readonly settingsVersion: number;
  /** By header, of columns that may hold employment statuses: how many cells held such a word, and another one. */
  readonly statusCells: Readonly<Record<string, readonly [words: number, others: number]>>;
}
