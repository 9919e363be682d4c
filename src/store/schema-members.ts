/** Members of organizations: people who sign in to the console by their address. */
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { By } from "../model/audit.ts";
import type { Role } from "../model/role.ts";
import { json } from "./columns.ts";

export const members = sqliteTable("members", {
  id: integer().primaryKey(),
  organizationId: integer("organization_id").notNull(),
  /** In lower case. */
  email: text().notNull(),
  name: text(),
  role: text().$type<Role>().notNull(),
  invitedBy: json<Pick<By, "kind" | "id" | "name">>("invited_by").notNull(),
  /** The number of the last invitation. Earlier ones sign nobody in. */
  invitation: integer().notNull(),
  /** Null: never yet. */
  signedInAt: integer("signed_in_at"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
}, (t) => [
  uniqueIndex("members_email").on(t.organizationId, t.email),
  index("members_organization").on(t.organizationId, t.id),
  // Somebody may be a member of several organizations.
  index("members_address").on(t.email),
]);
