/** Templates of connections, which belong to the hub, and which connections follow them. */
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { Schedule } from "../../model/connection.ts";
import type { Limits } from "../../model/guards.ts";
import type { Policy } from "../../model/policy.ts";
import type { KeyField } from "../../model/record.ts";
import { json } from "../columns.ts";

export const connectionTemplates = sqliteTable("connection_templates", {
  id: integer().primaryKey(),
  /** Connections that are made of it get this name. */
  name: text().notNull().unique(),
  /** Of its connection in each organization. */
  slug: text().notNull(),
  connector: text().notNull(),
  preset: text(),
  settings: json<Record<string, unknown>>("settings").notNull().default({}),
  /** Null: it sets none. */
  key: text().$type<KeyField>(),
  mapping: json<Record<string, string | null>>("mapping").notNull().default({}),
  policy: json<Policy>("policy").notNull().default({}),
  limits: json<Limits>("limits").notNull().default({}),
  /** Null: the connector's own. */
  schedule: json<Schedule>("schedule"),
  version: integer().notNull().default(1),
  createdAt: integer("created_at").notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/** A connection that a template was applied to. Without its row, a connection follows none. */
export const templateUses = sqliteTable("template_uses", {
  connectionId: integer("connection_id").primaryKey(),
  organizationId: integer("organization_id").notNull(),
  templateId: integer("template_id").notNull(),
  /** The template's version that was applied last. */
  version: integer().notNull(),
  /** What that version set, by JSON pointer into the connection. */
  applied: json<Record<string, unknown>>("applied").notNull(),
  appliedAt: integer("applied_at").notNull(),
}, (t) => [
  // One connection of each template in an organization.
  uniqueIndex("template_uses_template").on(t.templateId, t.organizationId),
  index("template_uses_organization").on(t.organizationId),
]);
