/** The tables of changes: a run's plan in pages, and changes made by hand. */
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { PageKind } from "../../reconcile/columns/pages.ts";

/**
 * Changes, planned or applied, in pages: a run's, in the order in which they are applied, or one change by hand (no run).
 * Entries are in tables of their own, so that finding and marking a page does not move a megabyte.
 */
export const changePages = sqliteTable("change_pages", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  runId: integer("run_id"),
  /** Order within the run, from 0. */
  page: integer().notNull(),
  /** The kind of its entries; a change of a user by hand is a page of `updates`, one of a group a page of `groups`. */
  kind: text().$type<PageKind>()
    .notNull(),
  /** Number of the first change; the others follow. */
  firstChange: integer("first_change").notNull(),
  count: integer().notNull(),
  /** Users whose email or employee_id moves within the page, so that both are cleared before they are set: a JSON array of ids. */
  parked: text(),
  /** JSON array of indexes that were not applied because the hub had changed. */
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
  /** SHA-256 of the body, hex, part of the plan's hash; null: a change by hand, or a page that an erasure rewrote. */
  sha256: text(),
});

/** The managers of a page's entries, in their order: a JSON array. No row: no manager in the page changes. */
export const pageManagers = sqliteTable("page_managers", {
  pageId: integer("page_id").primaryKey(),
  managers: text().notNull(),
  sha256: text(),
});

/**
 * The entries of the page that is being applied, split into columns once for all statements that need them. Filled and
 * emptied within one batch, so that no reader ever finds a row. JSON is read twice as fast into a table without indexes.
 */
export const stagedUsers = sqliteTable("staged_users", {
  /** Place in the page. */
  entry: integer().primaryKey(),
  id: integer().notNull(),
  /** The user's version that the change was planned against; 0: a new user. */
  plannedVersion: integer("planned_version").notNull(),
  /** Which indexed columns change (apply-users.ts). */
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
