/** Logins of hosted connections as stored: created with passwords and keys, changed, deleted; and when they were used. */
import { and, asc, eq, inArray, notInArray, type SQL, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { type ConnectionRef, recordConnection } from "../connections/connections.ts";
import { type Database, insertIf, setOf, type Statement, writeNamed } from "../database.ts";
import { leasedTo } from "./bridge-leases.ts";
import { sftpKeys, sftpLogins } from "./schema-logins.ts";
import { connections } from "../connections/schema.ts";
import { findRow } from "../reads.ts";
import { isAsRead, unchanged } from "../unchanged.ts";
import { HOUR_MS, MINUTE_MS } from "../../std/time.ts";
import { deleteRows } from "../writes.ts";

export type SftpLogin = typeof sftpLogins.$inferSelect;
export type SftpKey = typeof sftpKeys.$inferSelect;

export interface SftpLoginWithKeys {
  readonly login: SftpLogin;
  readonly keys: readonly SftpKey[];
}

/** For one connection. */
export const MAX_SFTP_KEYS = 20;
/** How often the audit records the same fact of one login. */
const USED_EVERY_MS = HOUR_MS;
const REFUSED_EVERY_MS = 5 * MINUTE_MS;

/** Null: the connection has no login. */
export async function findSftpLogin(db: Database, { id }: ConnectionRef): Promise<SftpLoginWithKeys | null> {
  const login = await findRow(db, sftpLogins, { connectionId: id });
  if (login === null) return null;
  const keys = await db.orm.select().from(sftpKeys).where(eq(sftpKeys.connectionId, id))
    .orderBy(asc(sftpKeys.createdAt), asc(sftpKeys.fingerprint));
  return { login, keys };
}

/** The logins of hosted connections that the bridge holds. */
export async function listHeldLogins(db: Database, bridgeId: number): Promise<SftpLoginWithKeys[]> {
  const held = leasedTo(db, bridgeId);
  const logins = await db.orm.select().from(sftpLogins).where(inArray(sftpLogins.connectionId, held));
  const keys = await db.orm.select().from(sftpKeys).where(inArray(sftpKeys.connectionId, held));
  const keysOf = new Map<number, SftpKey[]>();
  for (const key of keys) keysOf.set(key.connectionId, [...keysOf.get(key.connectionId) ?? [], key]);
  return logins.map((login) => ({ login, keys: keysOf.get(login.connectionId) ?? [] }));
}

/** Of any organization: the caller must check whether it may know of it. */
export async function findSftpLoginNamed(db: Database, username: string): Promise<SftpLoginWithKeys | null> {
  const login = await findRow(db, sftpLogins, { username });
  return login === null ? null : await findSftpLogin(db, { ...login, id: login.connectionId });
}

/** Sets or replaces the password's hash; creates the login with that username if there is none. */
export async function setSftpPassword(
  db: Database,
  connection: ConnectionRef,
  { username, passwordHash }: { username: string; passwordHash: string },
  now: number,
  by: By,
): Promise<void> {
  await db.write([
    ensure(db, connection, username, now),
    db.orm.update(sftpLogins).set({ passwordHash, passwordSetAt: now, ...moved(now) })
      .where(eq(sftpLogins.connectionId, connection.id)),
    recordConnection(db, by, "sftp_login.password_made", connection, now),
  ]);
}

/** False when the login has MAX_SFTP_KEYS, or has this key already. */
export async function addSftpKey(
  db: Database,
  connection: ConnectionRef,
  { username, ...key }: Pick<SftpKey, "name" | "type" | "publicKey" | "fingerprint" | "madeBy"> & { username: string },
  now: number,
  by: By,
): Promise<boolean> {
  const isNew = sql`not exists (select 1 from ${sftpKeys} where connection_id = ${connection.id}
      and fingerprint = ${key.fingerprint})
    and (select count(*) from ${sftpKeys} where connection_id = ${connection.id}) < ${MAX_SFTP_KEYS}`;
  const { added } = await writeNamed(db, {
    login: ensure(db, connection, username, now, isNew),
    added: db.orm.update(sftpLogins).set(moved(now)).where(and(eq(sftpLogins.connectionId, connection.id), isNew))
      .returning({ id: sftpLogins.connectionId }),
    audit: recordConnection(db, by, "sftp_login.key_added", connection, now),
    sftpKeys: db.run(
      insertIf(sftpKeys, {
        ...key,
        connectionId: connection.id,
        organizationId: connection.organizationId,
        createdAt: now,
      }, isNew),
    ),
  });
  return added.length > 0;
}

/** Removes the password, and all keys but those to keep (null: keeps all). False: the login is no longer as it was read. */
export async function changeSftpLogin(
  db: Database,
  { login }: SftpLoginWithKeys,
  { removePassword, keep }: { removePassword: boolean; keep: readonly string[] | null },
  now: number,
  by: By,
): Promise<boolean> {
  const { connectionId: id, organizationId } = login;
  const current = unchanged(sftpLogins, login, ["connectionId", "version"]);
  const { changed } = await writeNamed(db, {
    sftpKeys: keep === null ? [] : [
      db.orm.delete(sftpKeys).where(
        and(eq(sftpKeys.connectionId, id), notInArray(sftpKeys.fingerprint, setOf(keep)), current),
      ),
    ],
    changed: db.orm.update(sftpLogins)
      .set({ ...(removePassword ? { passwordHash: null, passwordSetAt: null } : {}), ...moved(now) })
      .where(isAsRead(sftpLogins, login, ["connectionId", "version"]))
      .returning({ id: sftpLogins.connectionId }),
    audit: recordConnection(db, by, "sftp_login.changed", { id, organizationId }, now),
  });
  return changed.length > 0;
}

/** False: the login is no longer as it was read. */
export async function deleteSftpLogin(
  db: Database,
  { login }: SftpLoginWithKeys,
  now: number,
  by: By,
): Promise<boolean> {
  const { connectionId: id, organizationId } = login;
  const own = and(eq(sftpKeys.connectionId, id), unchanged(sftpLogins, login, ["connectionId", "version"]));
  return await deleteRows(db, sftpLogins, isAsRead(sftpLogins, login, ["connectionId", "version"]), {
    before: [db.orm.delete(sftpKeys).where(own)],
    after: [recordConnection(db, by, "sftp_login.removed", { id, organizationId }, now)],
  });
}

/** The statements that delete the login of a connection that is deleted in the same batch. */
export function removeSftpLogin(db: Database, connectionId: number, condition: SQL): Statement[] {
  return [
    db.orm.delete(sftpKeys).where(and(eq(sftpKeys.connectionId, connectionId), condition)),
    db.orm.delete(sftpLogins).where(and(eq(sftpLogins.connectionId, connectionId), condition)),
  ];
}

/** Records an accepted or refused login, if the last record is old enough. */
export async function noteSftpLogin(
  db: Database,
  { login }: SftpLoginWithKeys,
  letIn: boolean,
  now: number,
  by: By,
): Promise<void> {
  const last = letIn ? login.usedAt : login.refusedAt;
  if (last !== null && now - last < (letIn ? USED_EVERY_MS : REFUSED_EVERY_MS) && now >= last) return;
  const column = letIn ? sftpLogins.usedAt : sftpLogins.refusedAt;
  const connection = { id: login.connectionId, organizationId: login.organizationId };
  await db.write([
    // Of two at once, one is recorded.
    db.orm.update(sftpLogins).set(letIn ? { usedAt: now } : { refusedAt: now })
      .where(and(eq(sftpLogins.connectionId, connection.id), sql`${column} is ${last}`)),
    recordConnection(db, by, letIn ? "sftp_login.used" : "sftp_login.refused", connection, now),
  ]);
}

function moved(now: number) {
  return { version: sql`${sftpLogins.version} + 1`, updatedAt: now };
}

/** The version begins at 0: the next statement of the batch makes it 1. */
function ensure(
  db: Database,
  connection: ConnectionRef,
  username: string,
  now: number,
  condition: SQL = sql`1`,
): Statement {
  return db.run(sql`insert into ${sftpLogins}
      (connection_id, organization_id, username, version, created_at, updated_at)
    select c.id, c.organization_id, ${username}, 0, ${now}, ${now} from ${connections} c
    where c.id = ${connection.id} and c.organization_id = ${connection.organizationId} and ${condition}
    on conflict (connection_id) do nothing`);
}
