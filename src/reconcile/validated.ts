/** What is known of a record: once its cells have been read, and once it has been judged. */
import type { Issue, KeyField } from "../model/record.ts";
import type { ColumnNote } from "./column-notes.ts";
import type { Letter } from "./values/boolean.ts";
import type { Value } from "./values/value.ts";

/** Usable values by field: null clears the field, an absent one leaves it alone. on_leave is never null, but false. */
export type Values = Readonly<Record<string, Value>>;

/** What the cells of a record say. */
export interface ReadRecord {
  readonly key: string | null;
  readonly values: Values;
  readonly issues: Issue[] | null;
  readonly notes: readonly ColumnNote[] | null;
  readonly fatal: boolean;
  readonly keyFatal: boolean;
  /** Of the status column: whether it says active, a letter, or that its cell is empty; null: there is none. */
  readonly word: boolean | Letter | "blank" | null;
  /** A value that decides the status could not be read. */
  readonly statusUnreadable: boolean;
  readonly leaves: string | null;
  /** The record has a deactivation_date, if only an empty one. */
  readonly leavesGiven: boolean;
  readonly starts: string | null;
  readonly status: string | null;
}

/** The reason why a record is inactive. */
export type InactiveReason = "is_active" | "deactivation_date" | "filtered";

export interface Status {
  /** Null: the status of a known person is left alone. */
  readonly active: boolean | null;
  /** Null unless inactive. An explicit status counts before a date or a filter. */
  readonly activeReason: InactiveReason | null;
  /** Whether somebody new is active. */
  readonly activeIfNew: boolean;
  /** The record says nothing of the status, so that the person is as the source knows them. */
  readonly saysNothing: boolean;
  /** The status column is there, and its cell is empty. */
  readonly isBlank: boolean;
  /** A deactivation_date after today, or a hire_date that is waited for: the row must be planned again each day. */
  readonly deactivationFuture: boolean;
}

export interface Validated extends Status {
  /** Comparable form of the source key; null: it could not be read. */
  readonly key: string | null;
  /** Without source_id, is_active and is_archived, which are not stored. Emails are folded. */
  readonly values: Values;
  /** One shared empty array when there are none. */
  readonly issues: readonly Issue[];
  /** What cells say about their columns. One shared empty array when they say nothing. */
  readonly notes: readonly ColumnNote[];
  /** An error rejects the row, unless the row is inactive and matches a user. */
  readonly fatal: boolean;
  /** The key, or what the status depends on, could not be read: rejects the row in any case. */
  readonly keyFatal: boolean;
}

const NO_VALUES: Values = {};

/** The record of which nothing but the leaving is used. */
export function onlyLeaving(record: Validated): Validated {
  return { ...record, values: NO_VALUES };
}

/** The record without all values but its key, by which its person is found. */
export function withKeyAlone(field: KeyField, record: Validated): Validated {
  return { ...record, values: { [field]: record.values[field] ?? null } };
}

/** Whether values of the row were left out, so that the same row may mean more the next time. */
export function isOnlyLeaving({ values }: Validated): boolean {
  return values === NO_VALUES;
}
