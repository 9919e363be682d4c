/**
 * What an organization is to the model: plain values, no more than the rules speak of.
 *
 * The model is written from the rules alone and shares nothing with the engine, so that the two can be compared. It is
 * slow and small on purpose: somebody in doubt about a rule should be able to read it here.
 */
import type { Limits } from "../../../src/model/guards.ts";
import type { Doubt } from "./decisions.ts";
import type { Before, Part } from "./parts.ts";

/** The fields of a person that the model knows. `is_active` is none of them: it only says something about the status. */
export const FIELDS = [
  "employee_id",
  "email",
  "mobile_phone",
  "first_name",
  "last_name",
  "title",
  "department_name",
  "employment_status",
  "hire_date",
  "deactivation_date",
] as const;
export type Field = (typeof FIELDS)[number];

/** The field that tells the rows of a connection apart. */
export type KeyField = "employee_id" | "email" | "mobile_phone";

/** How a row names somebody's manager; the first counts more. */
export const MANAGER_FIELDS = ["manager_id", "manager_email"] as const;
export type ManagerField = (typeof MANAGER_FIELDS)[number];

/** A header that the model reads; all others are unknown to the hub. */
export type Column = Field | ManagerField | "is_active";

export type Values = Readonly<Record<Field, string | null>>;

export const HAND = "hand";
/** Who wrote a field last: a connection, by its slug, or a hand. Nobody: it was always empty. */
export type Writers = { readonly [field in Field | "status" | "manager"]?: string };

export interface Person {
  readonly id: number;
  readonly values: Values;
  readonly active: boolean;
  /** Another person, by id. */
  readonly manager: number | null;
  readonly writers: Writers;
  /** What was last edited by hand, and not released since. */
  readonly edited: ReadonlySet<Field | "status" | "manager">;
  /** The leaving day that has passed a guard, or that somebody has approved. */
  readonly passed: string | null;
}

export interface Link {
  readonly connection: string;
  readonly key: string;
  readonly person: number;
  /** What its last record says: by a record that says nothing, what the one before it said. */
  readonly isActive: boolean;
  /** Inactive only because a filter leaves the row out. */
  readonly isFiltered: boolean;
  /** Whether only files by hand have had the row so far. */
  readonly byHand: boolean;
  /** Since when the person has been in no complete full input, and in how many in a row. */
  readonly missingSince: number | null;
  readonly absences: number;
  /** Whether this connection has deactivated them as missing, and nothing has brought them back since. */
  readonly leftAsMissing: boolean;
}

export type RowCondition = { readonly column: string; readonly is: string[] } | {
  readonly column: string;
  readonly is_not: string[];
};

export interface RulePolicy {
  readonly missing: "keep" | "deactivate";
  readonly missing_after_runs: number;
  readonly missing_after_hours: number;
  readonly empty_cells: "clear" | "keep";
  /** Whether people are inactive from their leaving day on, or from the day after it. */
  readonly leavers: "on_date" | "after_date";
  /** Whether its inputs hold everybody, unless one of them is declared otherwise. */
  readonly coverage?: "full" | "diff";
  readonly priority?: number;
  /** Employment statuses to import; not given: all. */
  readonly only_statuses?: string[];
  /** Rows to import, by the values of a column. */
  readonly only_rows?: RowCondition[];
  readonly manual_edits?: "overwrite" | "keep";
  /** Whether full inputs that come together are always parts of one. */
  readonly pick?: "latest" | "all";
}

/** What a connection remembers from one input to the next. */
export interface Memory {
  /** Which words its `is_active` has had, and whether there was ever a `deactivation_date`. */
  readonly activeRead: boolean;
  readonly inactiveRead: boolean;
  readonly dateRead: boolean;
  /** Complete full inputs that were applied. */
  readonly fullInputs: number;
  /** Of the last of them: by key, which columns had a value. Null before the first. */
  readonly filled: ReadonlyMap<string, ReadonlySet<Column>> | null;
  /** Its columns. */
  readonly columns: readonly Column[];
}

export interface Connection {
  readonly slug: string;
  readonly key: KeyField;
  readonly policy: RulePolicy;
  readonly limits: Limits;
  readonly memory: Memory;
}

/** A manager whom a connection has named for a person, and who is nobody yet. */
export interface Waiting {
  readonly connection: string;
  readonly person: number;
  readonly field: ManagerField;
  readonly value: string;
}

/** A row of a connection that somebody has accepted as this person's: what tells people apart in it. */
export interface Accepted {
  readonly connection: string;
  readonly person: number;
  readonly print: string;
}

export interface State {
  readonly people: readonly Person[];
  readonly links: readonly Link[];
  readonly waiting: readonly Waiting[];
  readonly accepted: readonly Accepted[];
  /** The oldest first. */
  readonly connections: readonly Connection[];
  /** On which day leaving days were last looked at, by connection. */
  readonly lastDue: ReadonlyMap<string, string>;
}

export const NEW_MEMORY: Memory = {
  activeRead: false,
  inactiveRead: false,
  dateRead: false,
  fullInputs: 0,
  filled: null,
  columns: [],
};

/** One input: its rows as they are in the file, by header. */
export interface Input {
  readonly connection: string;
  readonly coverage: "full" | "diff";
  /** Whether somebody sends it in place of editing people one by one. */
  readonly byHand: boolean;
  readonly headers: readonly string[];
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** When it is read, and which day that is for the organization. */
  readonly nowMs: number;
  readonly today: string;
  readonly part: Part;
}

export type Outcome = "failed" | "created" | "reactivated" | "deactivated" | "updated" | "skipped" | "unchanged";

export const OUTCOMES: readonly Outcome[] = [
  "failed",
  "created",
  "reactivated",
  "deactivated",
  "updated",
  "skipped",
  "unchanged",
];

/** What becomes of a row; `code` where it fails. */
export interface RowOutcome {
  readonly line: number;
  readonly outcome: Outcome;
  readonly code: string | null;
}

/** What the engine must do with an input. */
export interface Verdict {
  readonly status: "succeeded" | "partial" | "failed" | "held";
  /** Why nothing of the input is used. */
  readonly error: string | null;
  readonly rows: readonly RowOutcome[];
  /** Who is deactivated as missing, by id. */
  readonly leavers: readonly number[];
  readonly heldBy: readonly string[];
  /** Rows that are refused as they would make a person somebody else. */
  readonly doubts: readonly Doubt[];
  /** What parts that follow have to know of it, once it is applied. */
  readonly shown: Before;
  /** What is there once the input is applied; of a held one, once it is approved. */
  /**
   * Whether it holds for nothing but a column of values that are not this connection's to lose: whether those count depends
   * on what is still known of their rows.
   */
  readonly isOpen: boolean;
  readonly after: State;
}
