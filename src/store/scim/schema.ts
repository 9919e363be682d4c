/** The tables of SCIM: which resources a connection's provider has made of people, and the groups that it keeps. */
import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * A provider's resource of a person. The link with the same connection and key leads to the person; there is none until
 * the run that makes it has been applied. All else about the person is in users.
 */
export const scimUsers = sqliteTable("scim_users", {
  connectionId: integer("connection_id").notNull(),
  /** Made by the hub, as providers change all that they know a person by. */
  sourceKey: text("source_key").notNull(),
  organizationId: integer("organization_id").notNull(),
  externalId: text("external_id"),
  /** As sent, and as it is compared. */
  userName: text("user_name").notNull(),
  folded: text().notNull(),
  displayName: text("display_name"),
  /** When the provider deleted it; null: it has not. The person stays. */
  removedAt: integer("removed_at"),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  primaryKey({ columns: [t.connectionId, t.sourceKey] }),
  uniqueIndex("scim_users_name").on(t.connectionId, t.folded).where(sql`removed_at is null`),
  index("scim_users_removed").on(t.connectionId, t.folded).where(sql`removed_at is not null`),
  index("scim_users_external").on(t.connectionId, t.externalId).where(sql`external_id is not null`),
]);

export const groups = sqliteTable("groups", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  connectionId: integer("connection_id").notNull(),
  externalId: text("external_id"),
  name: text().notNull(),
  /** As it is compared. */
  folded: text().notNull(),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  index("groups_organization").on(t.organizationId),
  uniqueIndex("groups_name").on(t.connectionId, t.folded),
  index("groups_external").on(t.connectionId, t.externalId).where(sql`external_id is not null`),
]);

export const groupMembers = sqliteTable("group_members", {
  groupId: integer("group_id").notNull(),
  userId: integer("user_id").notNull(),
  organizationId: integer("organization_id").notNull(),
}, (t) => [
  primaryKey({ columns: [t.groupId, t.userId] }),
  index("group_members_user").on(t.userId),
  index("group_members_organization").on(t.organizationId),
]);
