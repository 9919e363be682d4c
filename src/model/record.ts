/**
 * The nouns of an input: fields, rows, source records, issues.
 *
 * A row is an item of the source as it was read; a source record is one person or department in the hub's terms; an issue
 * tells why a row, or one of its values, could not be used. No I/O. No clock.
 */

import type { IssueCode } from "./codes.ts";

/** What a run is about: one input holds users or departments, never both. */
export type Entity = "users" | "departments";

/** `full`: everybody in the source, so absent people are missing. `diff`: only changed people, so nobody is missing. */
export type Coverage = "full" | "diff";

/** The fields of a user that a source may give, by their one name. Order is the order of templates. */
export const USER_FIELDS = [
  "employee_id",
  "source_id",
  "email",
  "first_name",
  "last_name",
  "preferred_name",
  "username",
  "title",
  "department_name",
  "manager_id",
  "manager_email",
  "manager_key",
  "location",
  "phone",
  "mobile_phone",
  "hire_date",
  "deactivation_date",
  "employment_status",
  "is_active",
  "on_leave",
  "timezone",
  "language",
] as const;

/** The fields of a department that a source may give. */
export const DEPARTMENT_FIELDS = ["name", "parent", "department_id", "is_active", "deactivation_date"] as const;

/** Fields that can be a connection's key: the stable identity of its records. */
export const KEY_FIELDS = ["employee_id", "email", "mobile_phone", "source_id"] as const;
/** A field that can be a connection's key: `employee_id`, `email`, `mobile_phone` or `source_id`. */
export type KeyField = (typeof KEY_FIELDS)[number];

export const CUSTOM_FIELD_TYPES = [
  "text",
  "number",
  "date",
  "boolean",
  "select",
  "multi_select",
  "email",
  "phone",
  "url",
] as const;

/** A field that one organization adds to its people. */
export interface CustomField {
  /** Equal to the column's header; unique in the organization; never a name of USER_FIELDS. */
  readonly key: string;
  /** What people read. */
  readonly label: string;
  /** `text`, `number`, `date`, `boolean`, `select`, `multi_select`, `email`, `phone` or `url`. */
  readonly type: (typeof CUSTOM_FIELD_TYPES)[number];
  /** True: everybody has to have a value. */
  readonly required: boolean;
  /** The values that a select or multi_select may take; empty for other types. */
  readonly options: readonly string[];
  /** Code points; null means 254. */
  readonly maxLength: number | null;
}

/** A cell as read: text from CSV, any JSON value from JSON. `undefined` is an absent column, `null` and `""` an empty cell. */
export type Cell = string | number | boolean | null | undefined | object;

/** One raw item of an input. */
export interface Row {
  /** Physical line with the header as line 1 (CSV), 1-based position (JSON, NDJSON), or null (fetched). */
  readonly line: number | null;
  /** Where it was read, for fetched rows: a URL path, a page; null for rows of a drop. */
  readonly origin: string | null;
  /** Names of the cells, in the input's own order and spelling; shared by the rows of a block. */
  readonly columns: readonly string[];
  /** Verbatim, in the order of columns. Fewer or more than columns: the row is broken (`cell_count`). */
  readonly cells: readonly Cell[];
  /** Why the row cannot be used, though others can. */
  readonly broken?: Issue;
  /** What its connector made of it in another process; absent: it has made nothing of it yet. */
  readonly record?: SourceRecord;
}

/**
 * Rows that arrived together. They are only decoded on request, so that an unchanged row costs a digest of its bytes and
 * nothing else. A block is valid until the next one is requested; decoded rows stay valid.
 */
export interface RowBlock {
  /** As in Row. */
  readonly columns: readonly string[];
  /** How many rows it has. */
  readonly count: number;
  /**
   * For records, which spell their own keys: the columns that are together in a record, one list for each set that the
   * input has had so far. Absent: the rows are those of a table.
   */
  readonly shapes?: readonly (readonly number[])[];
  /**
   * Writes four 32-bit words, the keyed 128-bit digest of row `index`'s raw bytes, at `out[at]`.
   * Equal bytes give equal digests; the caller must mix the columns of the input into the salt.
   */
  digest(index: number, salt: Salt, out: Int32Array, at: number): void;
  /** Decodes the rows at `indexes` (ascending). Throws a Fault for bytes that are not text. */
  rows(indexes: ArrayLike<number>): Row[];
  /** Physical line or position of row `index`, as in Row. */
  line(index: number): number | null;
}

/** A RowBlock whose rows are ready to be planned. Reading them may wait for a connector in a process of its own. */
export interface ReadyBlock extends Omit<RowBlock, "rows"> {
  rows(indexes: ArrayLike<number>): readonly Row[] | Promise<readonly Row[]>;
}

/** 16 secret bytes as four 32-bit words, hashed before the data: digests of different connections cannot be compared. */
export type Salt = Int32Array;

/** The field of each column of an input, in the order of columns; null: the column is not processed. */
export type Fields = readonly (string | null)[];

/** One person or department by the hub's field names, with the source's values. An absent field is not changed. */
export type SourceRecord = Readonly<Record<string, Cell>>;

export type Severity = "error" | "warning";

/** Why a row, or one of its values, could not be used. An error: the row is not applied. A warning: applied without that value. */
export interface Issue {
  /** `error` or `warning`. */
  readonly severity: Severity;
  /** A code of the table in codes.ts. */
  readonly code: IssueCode;
  /** The hub's name of the field that it is about; null: it is about the row. */
  readonly field: string | null;
  /** The value as the source gave it, cut to 200 characters; null: there is none. */
  readonly value: string | null;
  /** What is wrong and what would be right: `Cannot use "ana@" as email: it needs a domain, like ana@acme.com`. */
  readonly message: string;
  /** What to do about it, in a few words. */
  readonly suggestion: string;
  /** Of a row that would make its user somebody else: whom, and what a decision about it is bound to. Never shown. */
  readonly conflict?: { readonly user: number; readonly field: KeyField; readonly fingerprint: string };
  /** The texts for readers who may know of other people than the row's own; absent: they are the same (wording.ts). */
  readonly pieces?: { readonly message: readonly Piece[]; readonly suggestion: readonly Piece[] };
}

/** A part of a message: text for all readers, or text about a user of the hub. */
export type Piece = string | {
  /** 0: not a user, but something else that is not in the input. */
  readonly user: number;
  readonly is: string;
  /** The text for readers who may not know of the user. */
  readonly otherwise: string;
  /** The text over the API for readers who may know of the user; absent: `is`. */
  readonly byApi?: string;
};
