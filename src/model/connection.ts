/** What a connection is set to, and what it keeps of its last inputs: the nouns. */
/** When a connection fetches: a cron expression of five fields in a time zone, the organization's unless said, or every so often. */
export type Schedule = { cron: string; timezone?: string } | { every_minutes: number };
/** By when a feed should have come: `HH:MM` in a time zone, the organization's unless said, on some days or on all. */
export interface ExpectedBy {
  time: string;
  timezone?: string;
  days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
}

/** The last input that this connection applied. */
export interface LastApplied {
  run: number;
  sha256: string;
  settingsVersion: number;
  referenceVersion: number;
  dataVersion: number;
}

/** How many rows an input had, and non-empty cells by field. */
export interface Filled {
  readonly rows: number;
  readonly filled: Readonly<Record<string, number>>;
}

/** The last complete full input, by entity. */
export type Baseline = { [entity in "users" | "departments"]?: Filled };
