/** The tables of `Idempotency-Key`: claimed keys, and their sealed answers. */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const idempotencyKeys = sqliteTable("idempotency_keys", {
  /** Random, and replaced when the key is taken over: the request that knows it holds the key. */
  claim: text().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** The sender of the key, such as `tok_00000000005`: the same key from another sender is another key. */
  caller: text().notNull(),
  route: text().notNull(),
  /** SHA-256 of the key, hex: the key itself may hold private data. */
  keyHash: text("key_hash").notNull(),
  /** The lease of the request that holds it (lease.ts); null once it is answered. */
  leaseUntil: integer("lease_until"),
  leaseBeat: integer("lease_beat").notNull().default(0),
  expiresAt: integer("expires_at").notNull(),
}, (t) => [
  uniqueIndex("idempotency_keys_key").on(t.organizationId, t.caller, t.route, t.keyHash),
  index("idempotency_keys_expires").on(t.expiresAt),
]);

/** An answer in sealed parts, each small enough for a value of D1. */
export const idempotencyAnswers = sqliteTable("idempotency_answers", {
  claim: text().notNull(),
  part: integer().notNull(),
  organizationId: integer("organization_id").notNull(),
  sealed: text().notNull(),
}, (t) => [
  primaryKey({ columns: [t.claim, t.part] }),
  index("idempotency_answers_organization").on(t.organizationId),
]);
