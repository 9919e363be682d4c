/**
 * The tables. Migrations are made from this file by drizzle-kit.
 *
 * Ids are integers reserved from `sequences`; instants are milliseconds since 1970 (UTC); JSON is text.
 * Every row that belongs to an organization says so, and every query names it.
 */
import { sql } from "drizzle-orm";
import type { Baseline, ExpectedBy, LastApplied, Schedule } from "../model/connection.ts";
import type { Limits } from "../model/guards.ts";
import type { Policy } from "../model/policy.ts";
import type { PageKind } from "../reconcile/columns/pages.ts";
import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Entity } from "../model/record.ts";
import type { Counts, Coverage, HeldBy, RunFigures, RunMode, RunStatus, RunTrigger } from "../model/run.ts";

const json = <T>(name: string) => text(name, { mode: "json" }).$type<T>();

/** The next free number of each kind of id, and `seq` of the changes feed. */
export const sequences = sqliteTable("sequences", {
  name: text().primaryKey(),
  next: integer().notNull(),
});

export const organizations = sqliteTable("organizations", {
  id: integer().primaryKey(),
  slug: text().notNull().unique(),
  name: text().notNull(),
  timezone: text().notNull(),
  technicalContact: text("technical_contact"),
  replyTo: text("reply_to"),
  requiredFields: json<string[]>("required_fields").notNull().default(sql`'["email","first_name","last_name"]'`),
  /** Moves with every write to users, departments or links; what a plan was made against. */
  dataVersion: integer("data_version").notNull().default(0),
  /** Moves when something that rows refer to changes its meaning (custom fields, department names, priorities). */
  referenceVersion: integer("reference_version").notNull().default(0),
  /** The run that plans or applies now, and until when it holds the organization without a sign of life. */
  leaseRun: integer("lease_run"),
  leaseOwner: text("lease_owner"),
  leaseUntil: integer("lease_until"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

export const tokens = sqliteTable("tokens", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  name: text().notNull(),
  /** SHA-256 of the token's text, hex. */
  hash: text().notNull().unique(),
  scopes: json<string[]>("scopes").notNull(),
  /** The organizations that a bridge with this token may serve; null: every one. */
  serves: json<number[]>("serves"),
  expiresAt: integer("expires_at"),
  lastUsedAt: integer("last_used_at"),
  createdAt: integer("created_at").notNull(),
}, (t) => [index("tokens_organization").on(t.organizationId)]);

export const connections = sqliteTable("connections", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  slug: text().notNull(),
  name: text().notNull(),
  connector: text().notNull(),
  preset: text(),
  settings: json<Record<string, unknown>>("settings").notNull().default({}),
  key: text().$type<"employee_id" | "email" | "mobile_phone" | "source_id">(),
  /** Header in the source → field, before any dictionary. */
  mapping: json<Record<string, string | null>>("mapping").notNull().default({}),
  /** When it fetches by itself; null: only when somebody asks. */
  schedule: json<Schedule>("schedule"),
  /** By when its feed should have come, and on which days; null: nobody waits for it. */
  expectedBy: json<ExpectedBy>("expected_by"),
  policy: json<Policy>("policy").notNull().default({}),
  limits: json<Limits>("limits").notNull().default({}),
  /** Moves with whatever decides what a row means: key, mapping, settings, policy. */
  settingsVersion: integer("settings_version").notNull().default(1),
  pausedAt: integer("paused_at"),
  lastApplied: json<{ [entity in "users" | "departments"]?: LastApplied }>("last_applied").notNull().default({}),
  baseline: json<Baseline>("baseline").notNull().default({}),
  /** Complete full inputs of users applied so far; the clock of `missing_after_runs`. */
  fullInputs: integer("full_inputs").notNull().default(0),
  /** Inputs in a row that failed as a whole, and the run of the last of them; 0 and null while all is well. */
  failuresInARow: integer("failures_in_a_row").notNull().default(0),
  lastFailedRun: integer("last_failed_run"),
  /** Of those, how many of each kind (model/connection-health.ts). */
  failureKinds: json<Record<string, number>>("failure_kinds").notNull().default({}),
  /** After a revert, the next run waits for approval. */
  holdNext: integer("hold_next", { mode: "boolean" }).notNull().default(false),
  /** 16 random bytes, hex: the salt of its row digests. */
  salt: text().notNull(),
  /** Which columns, in which order and encoding, the last input had: raw digests are worth keeping when it comes again. */
  layout: text(),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [uniqueIndex("connections_slug").on(t.organizationId, t.slug)]);

export const customFields = sqliteTable("custom_fields", {
  organizationId: integer("organization_id").notNull(),
  key: text().notNull(),
  label: text().notNull(),
  type: text().notNull(),
  required: integer({ mode: "boolean" }).notNull().default(false),
  options: json<string[]>("options").notNull().default([]),
  maxLength: integer("max_length"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [primaryKey({ columns: [t.organizationId, t.key] })]);

export const departments = sqliteTable("departments", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  name: text().notNull(),
  /** NFC, trimmed, inner spaces collapsed, lower case. */
  folded: text().notNull(),
  parentId: integer("parent_id"),
  /** The source's stable key (`department_id` of a department file). */
  externalId: text("external_id"),
  active: integer({ mode: "boolean" }).notNull().default(true),
  /** A deactivation that waits until no active user is left in it. */
  closing: integer({ mode: "boolean" }).notNull().default(false),
  lastChange: integer("last_change"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  uniqueIndex("departments_folded").on(t.organizationId, t.folded),
  uniqueIndex("departments_external").on(t.organizationId, t.externalId),
]);

export const users = sqliteTable("users", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  employeeId: text("employee_id"),
  /** Trimmed, lower case, NFC. */
  email: text(),
  firstName: text("first_name"),
  lastName: text("last_name"),
  preferredName: text("preferred_name"),
  username: text(),
  title: text(),
  departmentId: integer("department_id"),
  managerId: integer("manager_id"),
  location: text(),
  phone: text(),
  mobilePhone: text("mobile_phone"),
  hireDate: text("hire_date"),
  deactivationDate: text("deactivation_date"),
  employmentStatus: text("employment_status"),
  onLeave: integer("on_leave", { mode: "boolean" }).notNull().default(false),
  timezone: text(),
  language: text(),
  custom: json<Record<string, unknown>>("custom"),
  status: text().$type<"active" | "inactive">().notNull(),
  /** The connection that made the user, and so wrote every field not named in fieldSources; null: by hand. */
  sourceId: integer("source_id"),
  /** Field → connection that wrote it last, where that is not sourceId; 0 for a hand. */
  fieldSources: json<Record<string, number>>("field_sources"),
  /** Fields edited by hand since a source last wrote them; `status` among them. */
  editedByHand: json<string[]>("edited_by_hand"),
  /** The page with this user's latest change; each change names the page before it. */
  lastPage: integer("last_page"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  // In the order of ids within the organization: for lists, and for everybody's manager.
  index("users_organization").on(t.organizationId),
  uniqueIndex("users_employee_id").on(t.organizationId, t.employeeId).where(sql`employee_id is not null`),
  // One active user per email, any number of inactive ones, and the look-up by email, in one index.
  uniqueIndex("users_email").on(t.organizationId, t.email, sql`(case status when 'active' then 0 else id end)`).where(
    sql`email is not null`,
  ),
  // Who leaves on a day that is still to come.
  index("users_deactivation").on(t.deactivationDate).where(sql`status = 'active' and deactivation_date is not null`),
  index("users_department").on(t.departmentId).where(sql`department_id is not null`),
]);

/** A source's word for a user. At most one per connection and user. */
export const links = sqliteTable(
  "links",
  {
    connectionId: integer("connection_id").notNull(),
    /** The comparable form of the key: an email in lower case, a phone's digits. */
    sourceKey: text("source_key").notNull(),
    userId: integer("user_id").notNull(),
    /**
     * Digest of the row's bytes with the mask of its filled cells, and digest of its cells by field (reconcile/columns/known.ts).
     * Null when the row must be looked at each time. A trigger clears both whenever the user's version moves.
     */
    digest: text(),
    canonical: text(),
    /** What the last record of this connection said. */
    active: integer({ mode: "boolean" }).notNull(),
    missingSince: integer("missing_since"),
    /** The connection's fullInputs at the first absence. */
    missingFrom: integer("missing_from"),
    /** Field → withheld value that source_conflict was said of. */
    said: json<Record<string, string>>("said"),
  },
  (
    t,
  ) => [
    primaryKey({ columns: [t.connectionId, t.sourceKey] }),
    index("links_user").on(t.userId),
    // A connection's links in the order they were made.
    index("links_connection").on(t.connectionId),
    index("links_missing").on(t.connectionId).where(sql`missing_since is not null`),
  ],
);

/** A manager that a record named and nobody answers to yet. */
export const pendingManagers = sqliteTable("pending_managers", {
  organizationId: integer("organization_id").notNull(),
  userId: integer("user_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  /** Which field named the manager. */
  field: text().$type<"manager_id" | "manager_email" | "manager_key">().notNull(),
  value: text().notNull(),
}, (t) => [
  primaryKey({ columns: [t.userId, t.connectionId] }),
  index("pending_managers_value").on(t.organizationId, t.field, t.value),
]);

/**
 * Users who are no longer found by what they were found by: an email, an employee_id or a key has left them, or their
 * status moved. Rows that name one of them as manager may mean somebody else now, so the next plan looks at those rows
 * again, whatever input they come in. Triggers write most of these.
 */
export const recalls = sqliteTable("recalls", {
  organizationId: integer("organization_id").notNull(),
  userId: integer("user_id").notNull(),
}, (t) => [primaryKey({ columns: [t.organizationId, t.userId] })]);

export const drops = sqliteTable("drops", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  name: text().notNull(),
  contentType: text("content_type").notNull(),
  /** What the run is to be, as it was said when handed in; null: told from the input and the policy. */
  entity: text().$type<"users" | "departments">(),
  coverage: text().$type<"full" | "diff">(),
  mode: text().$type<"auto" | "plan">().notNull().default("auto"),
  bytes: integer().notNull().default(0),
  /** Hex; null until sealed. */
  sha256: text(),
  /** Rows that the sender said it has; null: not said. */
  rows: integer(),
  /** Who handed it in, as `actorOf` says it (audit.ts); null: not known. */
  handedInBy: text("handed_in_by"),
  sealedAt: integer("sealed_at"),
  /** When unsealed parts, or sealed content, are deleted. */
  expiresAt: integer("expires_at").notNull(),
  createdAt: integer("created_at").notNull(),
}, (t) => [
  index("drops_connection").on(t.connectionId),
  index("drops_expires").on(t.expiresAt),
  index("drops_unsealed").on(t.organizationId).where(sql`sha256 is null`),
]);

/** A drop's parts in order, each in gzip chunks of at most 1 MiB. */
export const dropChunks = sqliteTable("drop_chunks", {
  dropId: integer("drop_id").notNull(),
  part: integer().notNull(),
  chunk: integer().notNull(),
  /** Bytes before gzip. */
  bytes: integer().notNull(),
  body: blob({ mode: "buffer" }).notNull(),
}, (t) => [primaryKey({ columns: [t.dropId, t.part, t.chunk] })]);

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
  /** Its input came encrypted: what leaves the hub of it unasked does so encrypted, or not at all. */
  encrypted: integer({ mode: "boolean" }).notNull().default(false),
  counts: json<Counts>("counts"),
  heldBy: json<HeldBy[]>("held_by").notNull().default([]),
  planHash: text("plan_hash"),
  /** The organization's dataVersion that the plan was made against. */
  planVersion: integer("plan_version"),
  error: json<{ code: string; message: string; line?: number | null }>("error"),
  /** Columns and delimiter of the input, for the report. */
  input: json<{ columns: string[]; delimiter: string; format: "csv" | "json" }>("input"),
  /** Rows read and pages applied so far, for whoever watches. */
  progress: json<{ phase: string; done: number; total: number | null }>("progress"),
  /** What finishing the run will write to its connection. */
  figures: json<RunFigures>("figures"),
  /** One letter per row, for inputs small enough to answer record by record: c, u, d, r, n (unchanged), s, f. */
  outcomes: text(),
  attempts: integer().notNull().default(0),
  approvedAt: integer("approved_at"),
  /** Set to stop it after its current chunk. */
  cancelRequested: integer("cancel_requested", { mode: "boolean" }).notNull().default(false),
  revertsRun: integer("reverts_run"),
  /** The request that caused it, as its answer and the log name it; null where none did. */
  requestId: text("request_id"),
  /** When its latest plan was begun and made, and when applying began. */
  planningAt: integer("planning_at"),
  plannedAt: integer("planned_at"),
  applyingAt: integer("applying_at"),
  createdAt: integer("created_at").notNull(),
  startedAt: integer("started_at"),
  finishedAt: integer("finished_at"),
}, (t) => [
  index("runs_organization").on(t.organizationId, t.id),
  index("runs_connection").on(t.connectionId, t.id),
  index("runs_open").on(t.status, t.id).where(
    sql`status in ('queued', 'planning', 'applying', 'planned', 'held')`,
  ),
  // How many an organization has in the queue is counted with each that joins it.
  index("runs_queued").on(t.organizationId).where(sql`status = 'queued'`),
]);

/**
 * Changes, planned or applied, in pages: a run's, in the order they are applied, or one made by hand (no run).
 * Their entries lie in tables of their own, so that looking for a page and marking it does not move a megabyte.
 */
export const changePages = sqliteTable("change_pages", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  runId: integer("run_id"),
  /** Order within the run, from 0. */
  page: integer().notNull(),
  /** What its entries are; a change made by hand is a page of `updates`. */
  kind: text().$type<PageKind>()
    .notNull(),
  /** Number of the first change; the others follow. */
  firstChange: integer("first_change").notNull(),
  count: integer().notNull(),
  /** Users whose email or employee_id moves to another within the page: parked before they are set. JSON array of ids. */
  parked: text(),
  /** JSON array of indexes that were not applied because the hub had moved. */
  superseded: text(),
  /** Place of the first change in the organization's feed; null until applied. */
  seq: integer(),
  appliedAt: integer("applied_at"),
}, (t) => [
  uniqueIndex("change_pages_run").on(t.runId, t.page),
  index("change_pages_seq").on(t.organizationId, t.seq).where(sql`seq is not null`),
]);

/** A page's entries: a JSON array (reconcile/columns/entry.ts). */
export const pageBodies = sqliteTable("page_bodies", {
  pageId: integer("page_id").primaryKey(),
  body: text().notNull(),
  /** SHA-256 of the body, hex, from which the plan's own is made; null: by hand, and part of no plan, or rewritten. */
  sha256: text(),
});

/** The managers that a page's entries get, in their order: a JSON array. No row: no manager in the page changes. */
export const pageManagers = sqliteTable("page_managers", {
  pageId: integer("page_id").primaryKey(),
  managers: text().notNull(),
  sha256: text(),
});

/**
 * The entries of the page that is being applied, taken apart once for all statements that need them. Filled and emptied
 * within one batch, so nobody ever sees a row here: JSON is read twice as fast into a table as into what has indexes.
 */
export const stagedUsers = sqliteTable("staged_users", {
  /** Place in the page. */
  entry: integer().primaryKey(),
  id: integer().notNull(),
  /** The user's version that the change was planned against; 0 makes a new user. */
  plannedVersion: integer("planned_version").notNull(),
  /** Which columns change that have a place in some index (store/runs/apply.ts). */
  moves: integer().notNull(),
  sourceKey: text("source_key"),
  digest: text(),
  canonical: text(),
  active: integer().notNull(),
  employeeId: text("employee_id"),
  email: text(),
  firstName: text("first_name"),
  lastName: text("last_name"),
  title: text(),
  departmentId: integer("department_id"),
  managerId: integer("manager_id"),
  location: text(),
  phone: text(),
  hireDate: text("hire_date"),
  employmentStatus: text("employment_status"),
  onLeave: integer("on_leave"),
  status: text(),
  sourceId: integer("source_id"),
  preferredName: text("preferred_name"),
  mobilePhone: text("mobile_phone"),
  username: text(),
  deactivationDate: text("deactivation_date"),
  timezone: text(),
  language: text(),
  custom: text(),
  fieldSources: text("field_sources"),
  editedByHand: text("edited_by_hand"),
});

/** Rows with issues, in pages; within each pass over the input in its order. The body is a JSON array (reconcile/draft.ts, IssueRow). */
export const issuePages = sqliteTable("issue_pages", {
  runId: integer("run_id").notNull(),
  organizationId: integer("organization_id").notNull(),
  /** The input is read up to three times; a row may have issues from more than one pass. */
  pass: integer().notNull(),
  page: integer().notNull(),
  body: text().notNull(),
}, (t) => [primaryKey({ columns: [t.runId, t.pass, t.page] })]);
