/** The tables of runs, and of the rows with issues that their reports show. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Entity } from "../../model/record.ts";
import type {
  Counts,
  Coverage,
  HeldBy,
  RowsGiven,
  RunFigures,
  RunInput,
  RunMode,
  RunPause,
  RunStatus,
  RunTrigger,
  RunUpgrade,
} from "../../model/run.ts";
import { json } from "../columns.ts";

export const runs = sqliteTable("runs", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  dropId: integer("drop_id"),
  trigger: text().$type<RunTrigger>().notNull(),
  mode: text().$type<RunMode>().notNull(),
  entity: text().$type<Entity>().notNull(),
  coverage: text().$type<Coverage>().notNull(),
  status: text().$type<RunStatus>().notNull(),
  complete: integer({ mode: "boolean" }).notNull().default(false),
  /** Its input was encrypted: what the hub sends of it by itself is encrypted too, or not sent. */
  encrypted: integer({ mode: "boolean" }).notNull().default(false),
  counts: json<Counts>("counts"),
  heldBy: json<HeldBy[]>("held_by").notNull().default([]),
  planHash: text("plan_hash"),
  /** The organization's dataVersion that the plan was made against. */
  planVersion: integer("plan_version"),
  error: json<{ code: string; message: string; line?: number | null }>("error"),
  /** What is to be known about its input, though nothing is wrong with it; null: nothing. */
  note: text(),
  /** What the report needs to know of the input. `sheet`: of a workbook. */
  input: json<RunInput>("input"),
  /** Rows read and pages applied so far. */
  progress: json<{ phase: string; done: number; total: number | null }>("progress"),
  /** What the end of the run will write to its connection. */
  figures: json<RunFigures>("figures"),
  /**
   * One letter for each row of an input that is small enough to answer record by record: c, u, d, r, n (unchanged), s, f,
   * w (another run brings it).
   */
  outcomes: text(),
  /** Which rows of its drop the run brings, `1` or `0` for each; null: all of them. */
  rows: text(),
  /** The rows of its drop that other runs bring; null: none. */
  given: json<RowsGiven[]>("given"),
  attempts: integer().notNull().default(0),
  /** The pause after attempts that failed; null: none did. */
  pause: json<RunPause>("pause"),
  /** The held run that it waits behind, while that one is held; null: it has not met one. */
  waitsFor: integer("waits_for"),
  /** The first run of the full input that its own is a part of; null: it is one by itself, or not known yet. */
  partOf: integer("part_of"),
  /** The runs of the parts that follow it, as its plan has them; null: none do. */
  parts: json<number[]>("parts"),
  approvedAt: integer("approved_at"),
  /** Stops the run after its current chunk. */
  cancelRequested: integer("cancel_requested", { mode: "boolean" }).notNull().default(false),
  revertsRun: integer("reverts_run"),
  /** The upgrade of its connector that it shows; null: it is a run like others. */
  upgrade: json<RunUpgrade>("upgrade"),
  /** The id of the request that caused it, as in the log; null: none did. */
  requestId: text("request_id"),
  /** When its latest plan was begun and finished, and when applying began. */
  planningAt: integer("planning_at"),
  plannedAt: integer("planned_at"),
  applyingAt: integer("applying_at"),
  createdAt: integer("created_at").notNull(),
  startedAt: integer("started_at"),
  finishedAt: integer("finished_at"),
}, (t) => [
  index("runs_organization").on(t.organizationId, t.id),
  index("runs_connection").on(t.connectionId, t.id),
  index("runs_open").on(t.status, t.id).where(sql`status in ('queued', 'planning', 'applying', 'planned', 'held')`),
  // Each run that joins the queue counts those in it.
  index("runs_queued").on(t.organizationId).where(sql`status = 'queued'`),
]);

/**
 * Whom a run is about that is held, or waits for one that is, where records come one by one: others go on. A name is a
 * digest of a user's id, or of a value by which a record names its person; `*`: everybody.
 */
export const runNames = sqliteTable("run_names", {
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  runId: integer("run_id").notNull(),
  name: text().notNull(),
  /** The run's place among those of its connection that have names, the same for all of its names. */
  place: integer().notNull(),
}, (t) => [
  primaryKey({ columns: [t.connectionId, t.name, t.runId] }),
  index("run_names_run").on(t.runId),
]);

/** Rows with issues, in pages: within each pass, in the order of the input. The body is a JSON array of IssueRow (reconcile/draft.ts). */
export const issuePages = sqliteTable("issue_pages", {
  runId: integer("run_id").notNull(),
  organizationId: integer("organization_id").notNull(),
  /** The input is read up to three times; a row may have issues from more than one pass. */
  pass: integer().notNull(),
  page: integer().notNull(),
  body: text().notNull(),
}, (t) => [primaryKey({ columns: [t.runId, t.pass, t.page] })]);
