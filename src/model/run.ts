/** A run: its states, its counts, and how the API shows it. */
import type { ColumnMemory, Filled } from "./connection.ts";
import type { Entity } from "./record.ts";
import type { GuardName } from "./guards.ts";

export const RUN_STATUSES = [
  "queued",
  "planning",
  "planned",
  "held",
  "applying",
  "succeeded",
  "partial",
  "failed",
  "cancelled",
  "superseded",
  "skipped",
] as const;

/** A run that has not read anything. */
export const NO_COUNTS = {
  read: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  deactivated: 0,
  reactivated: 0,
  skipped: 0,
  failed: 0,
  warned: 0,
  missing: 0,
  departments_created: 0,
  departments_updated: 0,
};

export type Counts = typeof NO_COUNTS;

export interface HeldBy {
  /** `revert`: the run before was reverted. `parts`: several files with different people came together. */
  guard: GuardName | "revert" | "parts";
  /** The field, for the guards `column` and `field_gone`. */
  field?: string;
  count: number;
  limit: number;
  base: number;
  /** The part of `count` that earlier runs did within the hour, where records come one by one. */
  earlier?: number;
}

/** Rows of an input that another run brings. */
export interface RowsGiven {
  /** The run that brings them; null: this one is a plan for review, and approving it queues that run. */
  readonly run: number | null;
  /**
   * The run that a person has to decide about first: the same, or the held one that it waits for. Null in a plan for
   * review, for those that a guard would hold by themselves.
   */
  readonly waitsFor: number | null;
  /** Places in the input, from 0, ascending. */
  readonly rows: readonly number[];
}

/** What a plan learned about its input. When it is applied, the connection takes it over. */
export interface RunFigures {
  /** Of the input's bytes, followed by the encoding that its sender declared, if any. */
  sha256: string | null;
  settingsVersion: number;
  referenceVersion: number;
  /** Of the reader of inputs; absent in what earlier versions kept. */
  readingVersion?: number;
  key: "employee_id" | "email" | "mobile_phone" | "source_id" | null;
  layout: string | null;
  /** The next baseline, if the input was full and complete; it also counts for `missing_after_runs`. */
  baseline: Filled | null;
  /** What the columns of people showed, together with all inputs before; absent in what earlier versions kept. */
  columns?: ColumnMemory;
  /** What guards counted that is not in the run's counts; absent in what earlier versions kept. */
  guarded?: { readonly deactivate: number; readonly identity: number };
  /** Of a part of a full input: what the last part adds to its own. */
  part?: PartFigures;
}

export interface PartFigures {
  /** Whether it was read to its end, so that who is in no part is missing. */
  readonly complete: boolean;
  readonly filled: Filled;
  /** What became of each column's values: of how many people, how many had one, and how many have one now. */
  readonly kept: readonly {
    readonly field: string;
    readonly people: number;
    readonly before: number;
    readonly after: number;
  }[];
}

/** The version of a connector that a run compares with the connection's own. */
export interface RunUpgrade {
  readonly version: string;
  /** SHA-256 of its code, in hexadecimal. */
  readonly digest: string;
  /** As the upgrade makes them. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The connection's version at that time: a plan is good for an upgrade as long as the connection stays the same. */
  readonly connectionVersion: number;
}

/** A run that waits before its next attempt. */
export interface RunPause {
  /** Attempts that failed one soon after the other. */
  readonly failures: number;
  /** When the next attempt may begin, in milliseconds since 1970. */
  readonly until: number;
  /** How long it is. A pause that begins in the future is of another clock, and is not waited for. Absent: 5 minutes. */
  readonly ms?: number;
  /** What failed, in one sentence without anybody's data; null: the next attempt has begun. */
  readonly why: string | null;
}

/** What the report needs to know of the input. */
export interface RunInput {
  columns: string[];
  /** The field of each column; null: the column is not processed. Absent in what earlier versions kept. */
  fields?: (string | null)[];
  delimiter: string;
  format: "csv" | "xlsx";
  /** The sheet of a workbook, where the connection names it. */
  sheet?: string;
}

export type RunStatus = (typeof RUN_STATUSES)[number];

/** What caused the run. */
export type RunTrigger = "drop" | "schedule" | "manual" | "due" | "retry" | "revert" | "upgrade";
/** `plan`: it stops before anything is applied. */
export type RunMode = "auto" | "plan";
/** Whether the input holds everybody, or only those who changed. */
export type Coverage = "full" | "diff";

/** A run as the API and the command line show it. */
export interface RunView {
  readonly id: string;
  readonly connection: { id: string; slug: string | null; name: string | null };
  readonly connector: string | null;
  readonly trigger: RunTrigger;
  readonly mode: RunMode;
  readonly entity: Entity;
  readonly coverage: Coverage;
  readonly status: RunStatus;
  readonly complete: boolean;
  readonly counts: Counts;
  readonly held_by: readonly HeldBy[];
  readonly plan_hash: string | null;
  readonly drop: { id: string; name: string; bytes: number; sha256: string | null } | null;
  readonly error: { code: string; message: string; line?: number | null } | null;
  readonly note: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
}

/** Whether a run with `rows`, as stored, brings the row at this place of its input. */
export function bringsRow(rows: string | null, place: number): boolean {
  return rows === null || rows[place] === "1";
}

/** As bringsRow reads it: all of `total` rows but those at these places. Null: all. */
export function rowsBut(places: ReadonlySet<number>, total: number): string | null {
  if (places.size === 0) return null;
  return Array.from({ length: total }, (_, n) => places.has(n) ? "0" : "1").join("");
}
