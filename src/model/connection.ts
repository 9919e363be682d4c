/** The nouns of a connection: its settings, and what it remembers of its last inputs. */
export type GuardName =
  | "deactivate"
  | "reactivate"
  | "identity"
  | "update"
  | "create"
  | "errors"
  | "missing"
  | "column"
  | "field_gone";
export type Limits = {
  [guard in GuardName]?: GuardLimit;
};

/** A guard's limit: `percent` of the base, at least `floor`, at most `cap` (null: no cap). */
export interface GuardLimit {
  percent?: number;
  floor?: number;
  cap?: number | null;
  enabled?: boolean;
}

/** What a connection does in each case; absent: the default of its preset. */
export interface Policy {
  coverage?: "full" | "diff";
  missing?: "keep" | "deactivate";
  missing_after_runs?: number;
  missing_after_hours?: number;
  empty_cells?: "clear" | "keep";
  manual_edits?: "overwrite" | "keep";
  create?: boolean;
  update?: boolean;
  deactivate?: boolean;
  reactivate?: boolean;
  pick?: "latest" | "all";
  /** New people with a future hire_date: created at once, or on that day. */
  pre_hires?: "import" | "wait";
  only_statuses?: string[] | null;
  /** Ids of users whom no run deactivates. */
  protected?: string[];
  /** If two connections have the same person, the higher number wins; of equal ones, the older connection. Null is 0. */
  priority?: number | null;
  /** Whether drops must be signed by one of the customer's registered keys. */
  signature?: "optional" | "required";
}

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
  sha256: string;
  settingsVersion: number;
  referenceVersion: number;
  dataVersion: number;
}

/** Shares of non-empty cells in the last complete full input, by entity and field. */
export type Baseline = {
  [entity in "users" | "departments"]?: { rows: number; filled: Record<string, number> };
};
