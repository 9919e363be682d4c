/** The tables behind `Idempotency-Key`: who has a key, and the answer that goes with it, sealed. */
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

export const idempotencyKeys = sqliteTable("idempotency_keys", {
  /** Random, and another one when the key is taken over: whoever knows it holds the key. */
  claim: text().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** Who sent the key, such as `tok_00000000005`: what others send under the same name is another key. */
  caller: text().notNull(),
  route: text().notNull(),
  /** SHA-256 of the key, hex: what senders put into one is theirs. */
  keyHash: text("key_hash").notNull(),
  /** Until when its holder need give no sign of life; null once it is answered. */
  leaseUntil: integer("lease_until"),
  expiresAt: integer("expires_at").notNull(),
}, (t) => [
  uniqueIndex("idempotency_keys_key").on(t.organizationId, t.caller, t.route, t.keyHash),
  index("idempotency_keys_expires").on(t.expiresAt),
]);

/** An answer in parts that fit a value of D1, each sealed. */
export const idempotencyAnswers = sqliteTable("idempotency_answers", {
  claim: text().notNull(),
  part: integer().notNull(),
  organizationId: integer("organization_id").notNull(),
  sealed: text().notNull(),
}, (t) => [
  primaryKey({ columns: [t.claim, t.part] }),
  index("idempotency_answers_organization").on(t.organizationId),
]);
