/**
 * A connection's secrets as stored: each sealed for this connection and name alone. They are set and cleared in the batch
 * that changes the connection, and opened only where they are used.
 */
import { and, eq, inArray, type SQL, sql } from "drizzle-orm";
import { encodeId } from "../../model/id.ts";
import type { Secrets } from "../../security/secrets.ts";
import { type Database, pairs, setOf, type Statement } from "../database.ts";
import { connectionSecrets } from "./schema-sources.ts";

/** The name of the secret that holds OAuth tokens. Connectors cannot use this name. */
export const TOKENS = "$oauth2";

type Owner = { readonly id: number; readonly organizationId: number };

/** A secret to store; `sealed` is null to clear it. */
export interface SecretChange {
  readonly name: string;
  readonly sealed: string | null;
}

/** The purpose of a seal: sealed text cannot be opened for another connection or name. */
function purposeOf(connectionId: number, name: string): string {
  return `connection:${encodeId("con", connectionId)}:${name}`;
}

/** `values`: by name; null clears. */
export async function sealSecrets(
  secrets: Secrets,
  connectionId: number,
  values: Readonly<Record<string, string | null>>,
): Promise<SecretChange[]> {
  return await Promise.all(
    Object.entries(values).map(async ([name, value]) => ({
      name,
      sealed: value === null ? null : await secrets.seal(purposeOf(connectionId, name), value),
    })),
  );
}

/** The statements that store the changes, if `condition` holds when they run. */
export function writeSecrets(
  db: Database,
  { id, organizationId }: Owner,
  changes: readonly SecretChange[],
  now: number,
  condition: SQL = sql`1`,
): Statement[] {
  const cleared = changes.filter(({ sealed }) => sealed === null).map(({ name }) => name);
  const set = changes.filter(({ sealed }) => sealed !== null);
  return [
    ...(cleared.length === 0 ? [] : [
      db.orm.delete(connectionSecrets).where(and(
        eq(connectionSecrets.connectionId, id),
        sql`${connectionSecrets.name} in ${setOf(cleared)}`,
        condition,
      )),
    ]),
    ...(set.length === 0 ? [] : [
      db.run(sql`insert into ${connectionSecrets} (connection_id, name, organization_id, sealed, updated_at)
        select ${id}, value ->> 'name', ${organizationId}, value ->> 'sealed', ${now}
        from json_each(${JSON.stringify(set)}) where ${condition}
        on conflict (connection_id, name) do update set sealed = excluded.sealed, updated_at = excluded.updated_at`),
    ]),
  ];
}

/** The statement that deletes all secrets of a connection. */
export function forgetSecrets(db: Database, connectionId: number, condition: SQL = sql`1`): Statement {
  return db.orm.delete(connectionSecrets).where(and(eq(connectionSecrets.connectionId, connectionId), condition));
}

/** When each secret of these connections was set, by connection and name. Never their values. */
export async function listSecrets(
  db: Database,
  connections: readonly Owner[],
): Promise<ReadonlyMap<number, ReadonlyMap<string, number>>> {
  const { connectionId, organizationId, name, updatedAt } = connectionSecrets;
  const found = new Map<number, Map<string, number>>(connections.map(({ id }) => [id, new Map()]));
  // For the index; the pairs seal the organizations off.
  const ids = setOf([...found.keys()]);
  const rows = await db.orm.select({ connectionId, name, updatedAt }).from(connectionSecrets)
    .where(and(inArray(connectionId, ids), sql`(${organizationId}, ${connectionId}) in ${pairs(connections)}`));
  for (const row of rows) found.get(row.connectionId)!.set(row.name, row.updatedAt);
  return found;
}

/** The connection's secrets in plain text, by name. Callers must not store them. */
export async function loadSecrets(
  { db, secrets }: { readonly db: Database; readonly secrets: Secrets },
  { id, organizationId }: Owner,
): Promise<Record<string, string>> {
  const rows = await db.orm.select({ name: connectionSecrets.name, sealed: connectionSecrets.sealed })
    .from(connectionSecrets)
    .where(and(eq(connectionSecrets.connectionId, id), eq(connectionSecrets.organizationId, organizationId)));
  return Object.fromEntries(
    await Promise.all(rows.map(async ({ name, sealed }) => [name, await secrets.open(purposeOf(id, name), sealed)])),
  );
}
