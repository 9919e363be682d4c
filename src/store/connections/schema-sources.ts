/** What connections that fetch have beside them: their secrets, their fetches, and when the next one is due. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Issue } from "../../model/record.ts";
import { json } from "../columns.ts";

/** A connection's secrets, each sealed for itself. */
export const connectionSecrets = sqliteTable("connection_secrets", {
  connectionId: integer("connection_id").notNull(),
  /** As the connector names it; `oauth2` holds the tokens that the hub was given and renews. */
  name: text().notNull(),
  organizationId: integer("organization_id").notNull(),
  sealed: text().notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.connectionId, t.name] }),
  index("connection_secrets_organization").on(t.organizationId),
]);

/** Where an origin begins: the number of its first record, from 1, and what it is. */
export type OriginMark = readonly [number, string | null];

/** The reading of a source for one run. Nobody plans the run until it has ended. */
export const fetches = sqliteTable("fetches", {
  runId: integer("run_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  /** The drop that its rows are kept in; null until it has begun. */
  dropId: integer("drop_id"),
  /** Who reads, and until when without a sign of life. */
  owner: text(),
  leaseUntil: integer("lease_until"),
  attempts: integer().notNull().default(0),
  /** As far as rows are kept: chunks and bytes of the drop, records, and the state that the connector goes on from. */
  chunks: integer().notNull().default(0),
  bytes: integer().notNull().default(0),
  records: integer().notNull().default(0),
  checkpoint: json<unknown>("checkpoint"),
  origins: json<OriginMark[]>("origins").notNull().default([]),
  warnings: json<Issue[]>("warnings").notNull().default([]),
  /** The source was read to its end. */
  complete: integer({ mode: "boolean" }).notNull().default(false),
  /** Why it was not; with rows, those are used as far as they go. */
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

/** What is due for a connection, one row for each that has been looked at. */
export const connectionClocks = sqliteTable("connection_clocks", {
  connectionId: integer("connection_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** What the moments below were made from: another schedule, time zone or failure makes them anew. */
  basis: text().notNull().default(""),
  /** When it fetches next; null: only when somebody asks. */
  nextAt: integer("next_at"),
  /** Whether that is one more try after a failure. */
  isRetry: integer("is_retry", { mode: "boolean" }).notNull().default(false),
  /** When the feed should have come by next; null: nothing is expected. */
  expectedAt: integer("expected_at"),
  expectedBasis: text("expected_basis").notNull().default(""),
  /** The moment by which it should have come and did not; null: all is well. */
  overdueSince: integer("overdue_since"),
  overdueSaidAt: integer("overdue_said_at"),
  /** What came before this has been taken for what was late; null: nothing was. */
  expectedFrom: integer("expected_from"),
  /** The state that the last complete fetch ended with, once applied, and what it holds for. */
  checkpoint: json<unknown>("checkpoint"),
  checkpointVersion: integer("checkpoint_version"),
}, (t) => [
  index("connection_clocks_next").on(t.nextAt).where(sql`next_at is not null`),
  index("connection_clocks_expected").on(t.expectedAt).where(sql`expected_at is not null`),
  index("connection_clocks_organization").on(t.organizationId),
]);

/** Admins on their way through a source's consent page: one row for each state that was given out, until it comes back. */
export const authorizations = sqliteTable("authorizations", {
  /** SHA-256 of the state, hex. */
  state: text().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  /** The connection's version then: a connection that was changed since is not authorized. */
  connectionVersion: integer("connection_version").notNull(),
  /** The code verifier (RFC 7636), sealed. */
  verifier: text().notNull(),
  /** Who asked for it, for the audit. */
  actor: json<{ kind: string; id: string | null; name: string | null }>("actor").notNull(),
  expiresAt: integer("expires_at").notNull(),
}, (t) => [index("authorizations_organization").on(t.organizationId)]);
