/** Bridges, their leases of connections, the files that they sent, and the health of their connections. */
import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { CheckResult, Trouble } from "../../bridge/contract.ts";
import type { WhyLeft } from "../../model/bridge-wire.ts";
import { json } from "../columns.ts";

/** A bridge is identified by its key: another key is another bridge. Bridges belong to the hub, not to an organization. */
export const bridges = sqliteTable("bridges", {
  id: integer().primaryKey(),
  name: text().notNull(),
  /** The RFC 7638 thumbprint of its public key. */
  thumbprint: text().notNull().unique(),
  /** JWK; secrets are encrypted to it. */
  publicKey: json<{ kty: string; crv: string; x: string; y: string }>("public_key").notNull(),
  /** The token that it used last (Bearer.key). */
  bearer: text().notNull(),
  /** Null: the operator has not confirmed its key, so it gets no connections. */
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
  /** Trees of deleted connections, which it removes 30 days later; absent: it has not reported any. */
  set_aside?: { connection: string; since: number; files: number }[];
}

/** The bridge that takes a connection's files. If the lease is not renewed, another bridge may take them. */
export const bridgeLeases = sqliteTable("bridge_leases", {
  connectionId: integer("connection_id").primaryKey(),
  bridgeId: integer("bridge_id").notNull(),
  until: integer().notNull(),
  epoch: integer().notNull().default(0),
  beat: integer().notNull().default(0),
  /** Another complete file is coming: runs of the connection wait for it until then. Null: none is. */
  handingUntil: integer("handing_until"),
}, (t) => [index("bridge_leases_bridge").on(t.bridgeId)]);

/** Files that were taken. Until one is settled, the same name, size, time and digest mean the same file. */
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
  /** When there was nothing left to return: there is no report, or it was returned. Null: not known yet. */
  returnedAt: integer("returned_at"),
}, (t) => [
  uniqueIndex("bridge_files_unsettled").on(t.connectionId, t.folder, t.name, t.bytes, t.modifiedAt, t.sha256)
    .where(sql`settled_at is null`),
  index("bridge_files_connection").on(t.connectionId, t.folder, t.name, t.id),
  index("bridge_files_open").on(t.connectionId).where(sql`returned_at is null`),
  index("bridge_files_organization").on(t.organizationId),
]);

/** A file that the bridge does not take, and since when. */
export interface LyingFile {
  name: string;
  since: number;
  why: WhyLeft;
}

/** The health of a connection, as its bridge reports it. */
export const bridgeStates = sqliteTable("bridge_states", {
  connectionId: integer("connection_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** When the bridge last visited. */
  seenAt: integer("seen_at"),
  /** Null: the last visit succeeded. */
  trouble: json<Trouble>("trouble"),
  /** How many visits in a row failed. */
  failures: integer().notNull().default(0),
  /** When the technical contact was last mailed about that. */
  mailedAt: integer("said_at"),
  lying: json<LyingFile[]>("lying").notNull().default([]),
}, (t) => [index("bridge_states_organization").on(t.organizationId)]);

/** Checks that an admin requested; stored for an hour. */
export const bridgeChecks = sqliteTable("bridge_checks", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  askedAt: integer("asked_at").notNull(),
  result: json<CheckResult>("result"),
}, (t) => [index("bridge_checks_connection").on(t.connectionId), index("bridge_checks_asked").on(t.askedAt)]);
