/** What a connection is set to, and what it keeps of its last inputs: the nouns. */
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

/** One guard's numbers; `percent` of the base, at least `floor`, at most `cap` (null: no cap). */
export interface GuardLimit {
  percent?: number;
  floor?: number;
  cap?: number | null;
  enabled?: boolean;
}

/** What a connection does in each case; absent means the default of its preset. */
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
  /** New people whose hire_date is still to come: made at once, or on that day. */
  pre_hires?: "import" | "wait";
  only_statuses?: string[] | null;
  /** Ids of users never deactivated by a run. */
  protected?: string[];
  /** Whose word counts on one person: the higher number's, of equal ones the older connection's. Null is 0. */
  priority?: number | null;
  /** Whether only drops are taken that one of the customer's registered keys has signed. */
  signature?: "optional" | "required";
}

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

/** Shares of non-empty cells in the last complete full input, by entity and field. */
export type Baseline = {
  [entity in "users" | "departments"]?: { rows: number; filled: Record<string, number> };
};
