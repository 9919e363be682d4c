/** Tables of connections that fetch: their secrets, fetches, due times, and authorizations in progress. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Entity, Issue } from "../../model/record.ts";
import { json } from "../columns.ts";

/** A connection's secrets, each sealed by itself. */
export const connectionSecrets = sqliteTable("connection_secrets", {
  connectionId: integer("connection_id").notNull(),
  /** As the connector names it; `$oauth2` holds the OAuth tokens, which the hub renews. */
  name: text().notNull(),
  organizationId: integer("organization_id").notNull(),
  sealed: text().notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.connectionId, t.name] }),
  index("connection_secrets_organization").on(t.organizationId),
]);

/** Where an origin begins: the number of its first record, from 1, and its name. */
export type OriginMark = readonly [number, string | null];

/** The reading of a source for one run, which is not planned until the fetch has ended. */
export const fetches = sqliteTable("fetches", {
  runId: integer("run_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  /** The drop that stores its rows; null until it has begun. */
  dropId: integer("drop_id"),
  /** The lease of the process that reads (lease.ts). */
  owner: text(),
  leaseUntil: integer("lease_until"),
  leaseEpoch: integer("lease_epoch").notNull().default(0),
  leaseBeat: integer("lease_beat").notNull().default(0),
  attempts: integer().notNull().default(0),
  /** How much is stored: chunks and bytes of the drop, records, and the state from which the connector continues. */
  chunks: integer().notNull().default(0),
  bytes: integer().notNull().default(0),
  records: integer().notNull().default(0),
  checkpoint: json<unknown>("checkpoint"),
  /** The version of the connector that reads it; null: it has not begun. */
  connectorVersion: text("connector_version"),
  origins: json<OriginMark[]>("origins").notNull().default([]),
  warnings: json<Issue[]>("warnings").notNull().default([]),
  /** Records that came again with the same content, and were left out. */
  repeated: integer().notNull().default(0),
  /** How many records there are by the source's own account; null: it gives none. */
  expected: integer(),
  /** Why nothing was read: the source reported that nothing has changed since the last fetch. Null: it was read. */
  unchanged: text(),
  /** The source was read to its end. */
  complete: integer({ mode: "boolean" }).notNull().default(false),
  /** Why it was not read to its end. Rows that were read before the error are used. */
  error: json<{ code: string; message: string }>("error"),
  createdAt: integer("created_at").notNull(),
  startedAt: integer("started_at"),
  endedAt: integer("ended_at"),
}, (t) => [
  index("fetches_open").on(t.runId).where(sql`ended_at is null`),
  index("fetches_organization").on(t.organizationId),
  index("fetches_connection").on(t.connectionId),
  index("fetches_drop").on(t.dropId),
]);

/** How a fetch ended that was complete and applied. */
export interface LastRead {
  /** The connector's state at its end. */
  readonly state: unknown;
  /** The version of the connector that saved the state; absent in what earlier versions of the hub kept. */
  readonly version?: string | null;
  /** The connection's settings that the state is valid for. */
  readonly settingsVersion: number | null;
  /** The drop with the rows. */
  readonly dropId: number | null;
}

/** When a connection's next fetch and input are due. A connection without a row has never been checked for that. */
export const connectionClocks = sqliteTable("connection_clocks", {
  connectionId: integer("connection_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** What `nextAt` was computed from: with another schedule, time zone or failure it is computed again. */
  basis: text().notNull().default(""),
  /** When it fetches next; null: only on request. */
  nextAt: integer("next_at"),
  /** Whether that is a retry after a failure. */
  isRetry: integer("is_retry", { mode: "boolean" }).notNull().default(false),
  /** By when the next input is expected; null: none is. */
  expectedAt: integer("expected_at"),
  expectedBasis: text("expected_basis").notNull().default(""),
  /** When an input was expected that has not come; null: none is overdue. */
  overdueSince: integer("overdue_since"),
  overdueMailedAt: integer("overdue_said_at"),
  /** Inputs before this instant count for an earlier expectation; null: all count. */
  expectedFrom: integer("expected_from"),
  /** The last complete fetch of each entity that was applied, if it ended with a checkpoint. */
  reads: json<Partial<Record<Entity, LastRead>>>("reads"),
}, (t) => [
  index("connection_clocks_next").on(t.nextAt).where(sql`next_at is not null`),
  index("connection_clocks_expected").on(t.expectedAt).where(sql`expected_at is not null`),
  index("connection_clocks_organization").on(t.organizationId),
]);

/** What a connection was before its last upgrade, so that it can go back. */
export const connectionUpgrades = sqliteTable("connection_upgrades", {
  connectionId: integer("connection_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** The version of the connector before, and the SHA-256 of its code in hexadecimal. */
  version: text().notNull(),
  digest: text().notNull(),
  settings: json<Record<string, unknown>>("settings").notNull(),
  /** What the upgrade made of the settings. */
  settingsAfter: json<Record<string, unknown>>("settings_after").notNull(),
  /** Secrets that got another name: old → new. They stay sealed, under their new names. */
  renamed: json<Record<string, string>>("renamed").notNull(),
  /** As in connection_clocks, before; null: there were none. */
  reads: json<Partial<Record<Entity, LastRead>>>("reads"),
  /** The connection's settingsVersion before, which the reads were valid for. */
  settingsVersion: integer("settings_version").notNull(),
  upgradedAt: integer("upgraded_at").notNull(),
}, (t) => [index("connection_upgrades_organization").on(t.organizationId)]);

/** OAuth authorizations in progress: one row for each state that was issued, until the admin returns with it. */
export const authorizations = sqliteTable("authorizations", {
  /** SHA-256 of the state, hex. */
  state: text().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  /** The connection's version at that time: a connection that was changed since is not authorized. */
  connectionVersion: integer("connection_version").notNull(),
  /** The code verifier (RFC 7636), sealed. */
  verifier: text().notNull(),
  /** The actor that began it, for the audit. */
  actor: json<{ kind: string; id: string | null; name: string | null }>("actor").notNull(),
  expiresAt: integer("expires_at").notNull(),
}, (t) => [index("authorizations_organization").on(t.organizationId)]);
