/**
 * A connection's OpenPGP keys as stored: created or registered, listed, retired, deleted.
 *
 * A retired key decrypts nothing any more: its private half is deleted. Its row stays, so that a sender who still uses it
 * gets a clear error.
 */
import { and, asc, eq, gt, sql } from "drizzle-orm";
import type { AuditAction, By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { isUniqueViolation } from "../conflict.ts";
import type { Database, Statement } from "../database.ts";
import { pgpKeys } from "./schema-pgp.ts";
import { findRow } from "../reads.ts";
import { isAsRead } from "../unchanged.ts";
import { deleteRows, updateVersioned } from "../writes.ts";

export type PgpKey = typeof pgpKeys.$inferSelect;

type NewPgpKey =
  & Pick<PgpKey, "id" | "owner" | "fingerprint" | "publicKey" | "privateKey">
  & { readonly keyIds: readonly string[] };

/** For one connection, including retired keys. */
export const MAX_PGP_KEYS = 20;

/** The purpose that a private key is sealed for. */
export function pgpKeyPurpose(id: number): string {
  return `pgp-key:${id}`;
}

/** Null when the connection is deleted, or has MAX_PGP_KEYS; `taken` when it has this key already. */
export async function createPgpKey(
  db: Database,
  { id: connectionId, organizationId }: { readonly id: number; readonly organizationId: number },
  key: NewPgpKey,
  now: number,
  by: By,
): Promise<PgpKey | "taken" | null> {
  const keyIds = JSON.stringify(key.keyIds);
  try {
    await db.write([
      db.run(sql`
        insert into pgp_keys
          (id, organization_id, connection_id, owner, fingerprint, key_ids, public_key, private_key, created_at)
        select ${key.id}, ${organizationId}, id, ${key.owner}, ${key.fingerprint}, ${keyIds}, ${key.publicKey},
          ${key.privateKey}, ${now}
        from connections where id = ${connectionId} and organization_id = ${organizationId}
          and (select count(*) from pgp_keys where connection_id = ${connectionId}) < ${MAX_PGP_KEYS}`),
      record(db, by, key.owner === "hub" ? "pgp_key.created" : "pgp_key.registered", {
        id: key.id,
        organizationId,
        connectionId,
      }, now),
    ]);
  } catch (error) {
    if (isUniqueViolation(error, "pgp_keys.fingerprint")) return "taken";
    throw error;
  }
  return await findPgpKey(db, organizationId, connectionId, key.id);
}

/** Oldest first. */
export async function listPgpKeys(
  db: Database,
  organizationId: number,
  connectionId: number,
  page: { after: number; limit: number } = { after: 0, limit: MAX_PGP_KEYS },
): Promise<PgpKey[]> {
  return await db.orm.select().from(pgpKeys)
    .where(and(
      eq(pgpKeys.organizationId, organizationId),
      eq(pgpKeys.connectionId, connectionId),
      gt(pgpKeys.id, page.after),
    )).orderBy(asc(pgpKeys.id)).limit(page.limit);
}

export async function findPgpKey(
  db: Database,
  organizationId: number,
  connectionId: number,
  id: number,
): Promise<PgpKey | null> {
  return await findRow(db, pgpKeys, { id, organizationId, connectionId });
}

/** Retiring a retired key changes nothing. Null when `current` is no longer what is stored. */
export async function retirePgpKey(db: Database, current: PgpKey, now: number, by: By): Promise<PgpKey | null> {
  if (current.retiredAt !== null) return current;
  return await updateVersioned(db, pgpKeys, current, { retiredAt: now, privateKey: null }, {
    after: [record(db, by, "pgp_key.retired", current, now)],
  });
}

/** False when `current` is no longer what is stored. */
export async function deletePgpKey(db: Database, current: PgpKey, now: number, by: By): Promise<boolean> {
  return await deleteRows(db, pgpKeys, isAsRead(pgpKeys, current, ["id", "version"]), {
    after: [record(db, by, "pgp_key.deleted", current, now)],
  });
}

/** The statement that deletes the keys of a connection that was deleted earlier in the batch. */
export function deleteKeysOf(db: Database, connectionId: number): Statement {
  return db.orm.delete(pgpKeys).where(and(
    eq(pgpKeys.connectionId, connectionId),
    sql`not exists (select 1 from connections where id = ${connectionId})`,
  ));
}

function record(
  db: Database,
  by: By,
  action: AuditAction,
  { id, organizationId, connectionId }: Pick<PgpKey, "id" | "organizationId" | "connectionId">,
  now: number,
): Statement {
  const subjects = [encodeId("pgp", id), encodeId("con", connectionId)];
  return recordAudit(db, by, { organizationId, action, subjects }, now);
}
