/** The tables of people: users, their links to sources, departments, and custom fields. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { json } from "../columns.ts";

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
  /** The first day that a guard let pass or a person approved, if the date was not brought forward or given up since. */
  guardedLeaving: text("guarded_leaving"),
  employmentStatus: text("employment_status"),
  onLeave: integer("on_leave", { mode: "boolean" }).notNull().default(false),
  timezone: text(),
  language: text(),
  custom: json<Record<string, unknown>>("custom"),
  status: text().$type<"active" | "inactive">().notNull(),
  /** The connection that created the user, and wrote every field that is not in fieldSources; null: by hand. */
  sourceId: integer("source_id"),
  /** Field → connection that wrote it last, if that is not sourceId; 0: by hand. */
  fieldSources: json<Record<string, number>>("field_sources"),
  /** Fields edited by hand since a source last wrote them; `status` among them. */
  editedByHand: json<string[]>("edited_by_hand"),
  /** The page with this user's latest change; each change names the page before it. */
  lastPage: integer("last_page"),
  /** The user that this one was merged into: it has no values any more, and is in no list. */
  mergedInto: integer("merged_into"),
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
  // Active users with a deactivation date.
  index("users_deactivation").on(t.deactivationDate).where(sql`status = 'active' and deactivation_date is not null`),
  index("users_department").on(t.departmentId).where(sql`department_id is not null`),
  index("users_merged").on(t.mergedInto).where(sql`merged_into is not null`),
]);

/** Which key of a source belongs to which user. At most one for each connection and user. */
export const links = sqliteTable(
  "links",
  {
    connectionId: integer("connection_id").notNull(),
    /** The comparable form of the key: an email in lower case, a phone's digits. */
    sourceKey: text("source_key").notNull(),
    userId: integer("user_id").notNull(),
    /**
     * Digest of the row's bytes with the mask of its filled cells, and digest of its cells by field (reconcile/columns/known.ts).
     * Null when the row must be read each time. A trigger clears both whenever the user's version moves.
     */
    digest: text(),
    canonical: text(),
    /** Whether the last record of this connection was active. */
    active: integer({ mode: "boolean" }).notNull(),
    /** Whether it was not only because a filter leaves it out. */
    filtered: integer({ mode: "boolean" }).notNull().default(false),
    /** Whether only files by hand have had the row so far. */
    byHand: integer("by_hand", { mode: "boolean" }).notNull().default(false),
    missingSince: integer("missing_since"),
    /** The connection's fullInputs at the first absence. */
    missingFrom: integer("missing_from"),
    /** The last run of a part of a full input that did not have the user, as no part before it had. */
    absentFrom: integer("absent_from"),
    /** Field → the withheld value that source_conflict was reported for. */
    withheld: json<Record<string, string>>("said"),
  },
  (t) => [
    primaryKey({ columns: [t.connectionId, t.sourceKey] }),
    index("links_user").on(t.userId),
    // A connection's links in the order they were made.
    index("links_connection").on(t.connectionId),
    index("links_missing").on(t.connectionId).where(sql`missing_since is not null`),
  ],
);

/** A manager whom a record named and who does not exist yet. */
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
 * Users who are no longer found as before: they lost an email, an employee_id or a key, or their status changed. Rows
 * that name one of them as manager may now mean another person, so the next plan reads those rows again, in any input.
 * Triggers write most of these.
 */
export const recalls = sqliteTable("recalls", {
  organizationId: integer("organization_id").notNull(),
  userId: integer("user_id").notNull(),
}, (t) => [primaryKey({ columns: [t.organizationId, t.userId] })]);

/**
 * Since when each inactive person has been so. A trigger writes it whenever a user's status changes, so it survives all
 * later changes and ends when they return; the erasure removes it.
 */
export const leavers = sqliteTable("leavers", {
  userId: integer("user_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  since: integer().notNull(),
  /** The daily pass (organizations.retention_at) in which they had to wait; null: they did not. */
  waitedAt: integer("waited_at"),
}, (t) => [index("leavers_since").on(t.organizationId, t.since)]);
