/** What people have decided of rows that would make their user somebody else. */
import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { json } from "../columns.ts";

/** What a user had before its id or address was released for somebody new. */
export interface Released {
  readonly field: "employee_id" | "email" | "mobile_phone" | null;
  readonly value: string | null;
  readonly wasActive: boolean;
  /** The key of the link that was removed; null: there was none. */
  readonly sourceKey: string | null;
  /** Whether the last record of that link was active. */
  readonly linkActive: boolean;
}

/** One for each user and kind: a later decision takes the place of an earlier one. */
export const identityDecisions = sqliteTable("identity_decisions", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  userId: integer("user_id").notNull(),
  /** `accept`: the row is the same person's. `release`: it is somebody new's. */
  kind: text().$type<"accept" | "release">().notNull(),
  /** Of the key and the values by which the row's person is known. */
  fingerprint: text().notNull(),
  /** Null for `accept`. */
  released: json<Released>("released"),
  createdAt: integer("created_at").notNull(),
}, (t) => [
  index("identity_decisions_connection").on(t.connectionId),
  index("identity_decisions_user").on(t.userId),
]);
