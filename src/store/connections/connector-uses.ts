/** Which connectors the connections of the whole database use, for the operator of the hub. */
import { sql } from "drizzle-orm";
import type { Database } from "../database.ts";
import { organizations } from "../schema.ts";
import type { Connection } from "./connections.ts";
import { connections } from "./schema.ts";

/** A connector, or the version of it that connections are pinned to. */
export interface ConnectorUse extends Pick<Connection, "connector" | "connectorVersion" | "connectorDigest"> {
  readonly connections: number;
  readonly organizations: number;
}

/** By name and version. Of all organizations. */
export async function countUses(db: Database): Promise<ConnectorUse[]> {
  const rows = await db.rows<[string, string | null, string | null, number, number]>(
    sql`select connector, connector_version, connector_digest, count(*), count(distinct organization_id)
      from ${connections} group by 1, 2, 3 order by 1, 2, 3`,
  );
  return rows.map(([connector, connectorVersion, connectorDigest, connections, organizations]) => ({
    connector,
    connectorVersion,
    connectorDigest,
    connections,
    organizations,
  }));
}

/** Such as `acme-payroll 1.0.0 of 3 connections of 2 organizations`. */
export function describeUse({ connector, connectorVersion, connections, organizations }: ConnectorUse): string {
  const of = (count: number, what: string) => `of ${count} ${what}${count === 1 ? "" : "s"}`;
  const version = connectorVersion === null ? "" : ` ${connectorVersion}`;
  return `${connector}${version} ${of(connections, "connection")} ${of(organizations, "organization")}`;
}

/** The connections of a connector as `organization/connection`, both by slug, at most 100. Of all organizations. */
export async function listUsers(
  db: Database,
  { connector, connectorDigest }: Pick<ConnectorUse, "connector" | "connectorDigest">,
): Promise<string[]> {
  const rows = await db.rows<[string, string]>(
    sql`select o.slug, c.slug from ${connections} c join ${organizations} o on o.id = c.organization_id
      where c.connector = ${connector} and c.connector_digest is ${connectorDigest} order by 1, 2 limit 100`,
  );
  return rows.map((pair) => pair.join("/"));
}
