/** A connection's policy: what each setting may be, and what it is by default. Pure. */
import { z } from "zod";
import { decodeId } from "./id.ts";

const USER_ID = z.string().refine((text) => decodeId("usr", text) !== null, "should be the id of a user, like usr_…");
const MAX_STATUSES = 200;
const MAX_PROTECTED = 1000;
const MAX_CONDITIONS = 20;

const CELLS = z.array(z.string().trim().max(254)).min(1, "should name at least one value").max(MAX_STATUSES)
  .meta({ id: "Cells" }).optional();

/** Rows by the cells of one column: those with one of the values, or all others. "" is the empty cell. */
const ROW_CONDITION = z.strictObject({ column: z.string().trim().max(254), is: CELLS, is_not: CELLS }).refine(
  ({ column, is, is_not }) => column !== "" && (is === undefined) !== (is_not === undefined),
  'should name a column, and have either "is" or "is_not"',
);
export type RowCondition = z.infer<typeof ROW_CONDITION>;

export const COVERAGE = z.enum(["full", "diff"]);

/** What a connection does in each case; absent means the default of its preset. */
export const POLICY = z.strictObject({
  coverage: COVERAGE,
  missing: z.enum(["keep", "deactivate"]),
  missing_after_runs: z.int().min(1).max(100),
  missing_after_hours: z.int().min(0).max(8760),
  empty_cells: z.enum(["clear", "keep"]),
  manual_edits: z.enum(["overwrite", "keep"]),
  create: z.boolean(),
  update: z.boolean(),
  deactivate: z.boolean(),
  reactivate: z.boolean(),
  pick: z.enum(["latest", "all"]),
  /** Whether people are inactive from their deactivation_date on, or from the day after their last working day. */
  leavers: z.enum(["on_date", "after_date"]),
  /** New people with a future hire_date: created at once, or on that day. */
  pre_hires: z.enum(["import", "wait"]),
  only_statuses: z.array(z.string().trim().min(1).max(254)).max(MAX_STATUSES),
  /** Rows to import: those to which every condition applies. */
  only_rows: z.array(ROW_CONDITION).max(MAX_CONDITIONS),
  /** Ids of users whom no run deactivates. */
  protected: z.array(USER_ID).max(MAX_PROTECTED),
  /** Whether drops must be signed by one of the customer's registered keys. */
  signature: z.enum(["optional", "required"]),
  /** Which connection decides about a person: the one with the higher number, of equal ones the older. By default 0. */
  priority: z.int().min(-1_000_000).max(1_000_000),
}).partial();

export type Policy = z.infer<typeof POLICY>;

/** With every default filled in. Priorities are compared between connections, so they are not part of it. */
export interface ResolvedPolicy
  extends Readonly<Omit<Required<Policy>, "priority" | "only_statuses" | "only_rows" | "protected">> {
  /** Null: all of them. */
  readonly only_statuses: readonly string[] | null;
  /** Null: all of them. */
  readonly only_rows: readonly RowCondition[] | null;
  /** Numbers of users. */
  readonly protected: ReadonlySet<number>;
}

/** Of connections that set no priority. */
export const DEFAULT_PRIORITY = 0;

export const DEFAULT_POLICY: ResolvedPolicy = {
  coverage: "full",
  missing: "keep",
  missing_after_runs: 2,
  missing_after_hours: 12,
  empty_cells: "clear",
  manual_edits: "overwrite",
  create: true,
  update: true,
  deactivate: true,
  reactivate: true,
  pick: "latest",
  leavers: "on_date",
  signature: "optional",
  pre_hires: "import",
  only_statuses: null,
  only_rows: null,
  protected: new Set(),
};
