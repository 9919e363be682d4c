/** Who is mailed about a connection: its own technical contact, or its organization's where it has none. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import { connections } from "../connections/schema.ts";
import type { Database } from "../database.ts";
import { organizations } from "../schema.ts";

/** In SQL, where a connection and its organization are joined. Null: nobody is mailed. */
export function contactInSql(): SQL<string | null> {
  return sql<string | null>`coalesce(nullif(${connections.technicalContact}, ''),
    nullif(${organizations.technicalContact}, ''))`;
}

/** `connectionId`: null for what concerns the organization as a whole. */
export async function findContact(
  db: Database,
  organizationId: number,
  connectionId: number | null,
): Promise<string | null> {
  const isOurs = and(eq(connections.organizationId, organizations.id), eq(connections.id, connectionId ?? 0));
  const [row] = await db.orm.select({ contact: contactInSql() }).from(organizations)
    .leftJoin(connections, isOurs).where(eq(organizations.id, organizationId));
  return row?.contact ?? null;
}
