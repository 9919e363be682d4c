/**
 * The tables of the hub itself: number sequences, organizations and tokens. Each aggregate has its tables in a schema of
 * its own, in its folder; drizzle-kit makes the migrations from all of them.
 *
 * Ids are integers reserved from `sequences`; instants are milliseconds since 1970 (UTC); JSON is text.
 * Every row that belongs to an organization names it, and so does every query.
 */
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Retention } from "../model/retention.ts";
import { json } from "./columns.ts";

/** The next free number of each kind of id, and `seq` of the changes feed. */
export const sequences = sqliteTable("sequences", {
  name: text().primaryKey(),
  next: integer().notNull(),
});

/** One row: which hub this database is of, and where its history was cut by a restore. */
export const hubMarks = sqliteTable("hub_marks", {
  /** Always 1. */
  id: integer().primaryKey(),
  /** Made with the database, and the same in every copy of it. */
  hubId: text("hub_id").notNull(),
  /** When a backup was last restored, and when that backup was made; null: never. */
  restoredAt: integer("restored_at"),
  backupAt: integer("backup_at"),
});

export const organizations = sqliteTable("organizations", {
  id: integer().primaryKey(),
  slug: text().notNull().unique(),
  name: text().notNull(),
  timezone: text().notNull(),
  technicalContact: text("technical_contact"),
  replyTo: text("reply_to"),
  /** Of phone numbers without + or 00; ISO 3166. */
  phoneCountry: text("phone_country"),
  requiredFields: json<string[]>("required_fields").notNull().default(sql`'["email","first_name","last_name"]'`),
  /** Moves with every write to users, departments or links. A plan is made against one version. */
  dataVersion: integer("data_version").notNull().default(0),
  /** Moves when rows get another meaning: custom fields, department names, priorities. */
  referenceVersion: integer("reference_version").notNull().default(0),
  /** The run that plans or applies now, and the lease of the process that carries it (lease.ts). */
  leaseRun: integer("lease_run"),
  leaseOwner: text("lease_owner"),
  leaseUntil: integer("lease_until"),
  leaseEpoch: integer("lease_epoch").notNull().default(0),
  leaseBeat: integer("lease_beat").notNull().default(0),
  /** After how long leavers are erased and history is deleted; null: never. */
  retention: json<Retention>("retention"),
  /** When the last daily pass of the retention was; null: none since the settings changed. */
  retentionAt: integer("retention_at"),
  /** How many people the last pass did not erase because they were too many at once; null: it did not hold. */
  retentionHeld: integer("retention_held"),
  /** Who has been inactive since this instant or longer is being erased; null: nobody is. */
  erasingUntil: integer("erasing_until"),
  /** History from before this instant is deleted, or about to be; null: none ever was. */
  historyUntil: integer("history_until"),
  /** Whether some of it may be left. */
  historyLeft: integer("history_left", { mode: "boolean" }).notNull().default(false),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/**
 * Processes that send deliveries or mails, each with the lease of all that it has claimed. Without its row, a process has
 * claimed nothing.
 */
export const senders = sqliteTable("senders", {
  name: text().primaryKey(),
  until: integer().notNull(),
  beat: integer().notNull().default(0),
});

export const tokens = sqliteTable("tokens", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  name: text().notNull(),
  /** SHA-256 of the token's text, hex. */
  hash: text().notNull().unique(),
  scopes: json<string[]>("scopes").notNull(),
  /** The organizations that a bridge with this token may serve; null: all. */
  serves: json<number[]>("serves"),
  /** The connection whose SCIM a token with that scope is for; null: it has another scope. */
  connectionId: integer("connection_id"),
  expiresAt: integer("expires_at"),
  lastUsedAt: integer("last_used_at"),
  createdAt: integer("created_at").notNull(),
}, (t) => [index("tokens_organization").on(t.organizationId)]);

/** Which version of Muster brought the tables to which migration, so that an earlier version can name it. */
export const schemaVersions = sqliteTable("schema_versions", {
  /** When the migration was made. */
  migration: integer().primaryKey(),
  version: text().notNull(),
  migratedAt: integer("migrated_at").notNull(),
});
