/** The table of connections: what an admin has configured, and what the hub remembers of their inputs. */
import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Baseline, ColumnMemory, ExpectedBy, LastApplied, Schedule } from "../../model/connection.ts";
import type { Limits } from "../../model/guards.ts";
import type { Policy } from "../../model/policy.ts";
import { json } from "../columns.ts";

export const connections = sqliteTable("connections", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  slug: text().notNull(),
  name: text().notNull(),
  connector: text().notNull(),
  /** The version that it is pinned to, and the SHA-256 of its code in hexadecimal; null: the one that the hub has. */
  connectorVersion: text("connector_version"),
  connectorDigest: text("connector_digest"),
  /** The version that its settings are of, where it is pinned to none; null: from before versions were kept. */
  settingsOf: text("settings_of"),
  preset: text(),
  settings: json<Record<string, unknown>>("settings").notNull().default({}),
  key: text().$type<"employee_id" | "email" | "mobile_phone" | "source_id">(),
  /** Header in the source → field, before any dictionary. */
  mapping: json<Record<string, string | null>>("mapping").notNull().default({}),
  /** When it fetches by itself; null: only on request. */
  schedule: json<Schedule>("schedule"),
  /** By when an input is expected, and on which days; null: none is expected. */
  expectedBy: json<ExpectedBy>("expected_by"),
  /** Who is mailed about it; null: the organization's technical contact. */
  technicalContact: text("technical_contact"),
  policy: json<Policy>("policy").notNull().default({}),
  limits: json<Limits>("limits").notNull().default({}),
  /** Moves with everything that decides the meaning of a row: key, mapping, settings, policy. */
  settingsVersion: integer("settings_version").notNull().default(1),
  pausedAt: integer("paused_at"),
  lastApplied: json<{ [entity in "users" | "departments"]?: LastApplied }>("last_applied").notNull().default({}),
  baseline: json<Baseline>("baseline").notNull().default({}),
  /** What the columns of its people have shown; null: none was applied. */
  columnMemory: json<ColumnMemory>("column_memory"),
  /** Complete full inputs of users applied so far; the clock of `missing_after_runs`. */
  fullInputs: integer("full_inputs").notNull().default(0),
  /** How many inputs in a row failed as a whole, and the run of the last one; 0 and null when the last input did not fail. */
  failuresInARow: integer("failures_in_a_row").notNull().default(0),
  lastFailedRun: integer("last_failed_run"),
  /** How many of these failures are of each kind (model/connection-health.ts). */
  failureKinds: json<Record<string, number>>("failure_kinds").notNull().default({}),
  /** After a revert, the next run waits for approval. */
  holdNext: integer("hold_next", { mode: "boolean" }).notNull().default(false),
  /** 16 random bytes, hex: the salt of its row digests. */
  salt: text().notNull(),
  /** Columns, their order and the encoding of the last input: raw digests are useful only while these stay the same. */
  layout: text(),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [uniqueIndex("connections_slug").on(t.organizationId, t.slug)]);
