/** Bridges, which of them holds which connection, the files that they handed over, and how their connections fare. */
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { CheckResult, Trouble } from "../../bridge/contract.ts";
import { json } from "../columns.ts";

/** A bridge is its key: one that comes with another key is another bridge. They belong to the hub, not to an organization. */
export const bridges = sqliteTable("bridges", {
  id: integer().primaryKey(),
  name: text().notNull(),
  /** RFC 7638, of its public key. */
  thumbprint: text().notNull().unique(),
  /** JWK; secrets are encrypted to it. */
  publicKey: json<{ kty: string; crv: string; x: string; y: string }>("public_key").notNull(),
  /** Whose token it came with last (Bearer.key). */
  bearer: text().notNull(),
  /** Null: the operator has not confirmed its key, and it gets nothing. */
  confirmedAt: integer("confirmed_at"),
  version: text().notNull(),
  /** Where its hosted server is; null: it has none. */
  hosted: json<HostedAt>("hosted"),
  seenAt: integer("seen_at").notNull(),
  createdAt: integer("created_at").notNull(),
});

export interface HostedAt {
  host: string;
  port: number;
  /** `SHA256:…` */
  host_key: string;
  /** Trees of connections that are gone, which it removes 30 days later; absent: it has not said. */
  set_aside?: { connection: string; since: number; files: number }[];
}

/** Who takes a connection's files. Without a sign of life until then, another bridge may. */
export const bridgeLeases = sqliteTable("bridge_leases", {
  connectionId: integer("connection_id").primaryKey(),
  bridgeId: integer("bridge_id").notNull(),
  until: integer().notNull(),
  /** Another whole file is on its way: runs of the connection wait for it until then. Null: none is. */
  handingUntil: integer("handing_until"),
}, (t) => [index("bridge_leases_bridge").on(t.bridgeId)]);

/** Files that were taken. While one is not settled, the same name, size, time and digest is the same file. */
export const bridgeFiles = sqliteTable("bridge_files", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  folder: text().notNull(),
  name: text().notNull(),
  bytes: integer().notNull(),
  modifiedAt: integer("modified_at").notNull(),
  sha256: text().notNull(),
  dropId: integer("drop_id").notNull(),
  runId: integer("run_id").notNull(),
  takenAt: integer("taken_at").notNull(),
  settledAt: integer("settled_at"),
  /** When nothing of its run was left to be brought back: there is no report, or it is there. Null: not known yet. */
  returnedAt: integer("returned_at"),
}, (t) => [
  uniqueIndex("bridge_files_unsettled").on(t.connectionId, t.folder, t.name, t.bytes, t.modifiedAt, t.sha256)
    .where(sql`settled_at is null`),
  index("bridge_files_connection").on(t.connectionId, t.folder, t.name, t.id),
  index("bridge_files_open").on(t.connectionId).where(sql`returned_at is null`),
  index("bridge_files_organization").on(t.organizationId),
]);

/** A file that no bridge takes, and since when it lies there. */
export interface LyingFile {
  name: string;
  since: number;
  why: "temporary" | "empty" | "unfinished" | "unmatched";
}

/** How a connection fares, as its bridge says. */
export const bridgeStates = sqliteTable("bridge_states", {
  connectionId: integer("connection_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** When the bridge looked last. */
  seenAt: integer("seen_at"),
  /** Null: the latest look went well. */
  trouble: json<Trouble>("trouble"),
  /** Looks in a row that went badly. */
  failures: integer().notNull().default(0),
  /** When the technical contact was last told that they do. */
  saidAt: integer("said_at"),
  lying: json<LyingFile[]>("lying").notNull().default([]),
}, (t) => [index("bridge_states_organization").on(t.organizationId)]);

/** Checks that an admin asked for; kept for an hour. */
export const bridgeChecks = sqliteTable("bridge_checks", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  askedAt: integer("asked_at").notNull(),
  result: json<CheckResult>("result"),
}, (t) => [index("bridge_checks_connection").on(t.connectionId), index("bridge_checks_asked").on(t.askedAt)]);
