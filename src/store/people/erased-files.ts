/**
 * What is stored of files besides their rows: drops and uploads, and the records of files that bridges took. Found for an
 * erasure, and emptied with it.
 *
 * Of a file that held an erased person, only keyed digests of its content and name are stored. So the file is recognized
 * when it comes again, and they neither reveal nor prove what it held.
 */
import { inArray, sql } from "drizzle-orm";
import { Fault } from "../../model/errors.ts";
import { toHex } from "../../std/hex.ts";
import type { Secrets } from "../../security/secrets.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { bridgeFiles } from "../bridges/schema-bridge.ts";
import type { Drop } from "../runs/drops.ts";
import { drops } from "../runs/schema-drops.ts";

export interface KeptDrop {
  readonly drop: Drop;
  /** Its content is stored, in whole or in part. */
  readonly hasContent: boolean;
  /** Null: it has no run. */
  readonly run: { readonly entity: string; readonly status: string } | null;
}

const WINDOW = 80;

/** All drops of the organization, sealed or not, with or without their content. */
export async function* readDrops(db: Database, organizationId: number): AsyncGenerator<KeptDrop> {
  for (let after = 0;;) {
    const rows = await db.rows<[number, number, string | null, string | null]>(sql`
      select d.id, exists (select 1 from drop_chunks where drop_id = d.id), r.entity, r.status
      from ${drops} d left join runs r on r.id = (select max(id) from runs
        where drop_id = d.id and organization_id = ${organizationId})
      where d.organization_id = ${organizationId} and d.id > ${after} order by d.id limit ${WINDOW}`);
    const found = new Map(
      (await db.orm.select().from(drops).where(inArray(drops.id, rows.map(([id]) => id)))).map((row) => [row.id, row]),
    );
    for (const [id, hasContent, entity, status] of rows) {
      const drop = found.get(id);
      if (drop === undefined) continue;
      yield { drop, hasContent: hasContent === 1, run: entity === null ? null : { entity, status: status! } };
    }
    if (rows.length < WINDOW) return;
    after = rows.at(-1)![0];
  }
}

export interface TakenFile {
  readonly id: number;
  readonly connectionId: number;
  readonly dropId: number;
  readonly name: string;
  /** It is settled, so it is no longer looked up by its name. */
  readonly isSettled: boolean;
  /** Hex; a keyed digest if the file is known to have held an erased person. */
  readonly sha256: string;
  readonly entity: string | null;
}

export async function listTakenFiles(db: Database, organizationId: number): Promise<TakenFile[]> {
  const rows = await db.rows<[number, number, number, string, number | null, string, string | null]>(sql`
    select f.id, f.connection_id, f.drop_id, f.name, f.settled_at, f.sha256, r.entity from ${bridgeFiles} f
      left join runs r on r.id = f.run_id where f.organization_id = ${organizationId} order by f.id`);
  return rows.map(([id, connectionId, dropId, name, settledAt, sha256, entity]) => ({
    id,
    connectionId,
    dropId,
    name,
    isSettled: settledAt !== null,
    sha256,
    entity,
  }));
}

/** The prefix of keyed digests. */
export const KEYED = "keyed:";

export function isKeyed(digest: string): boolean {
  return digest.startsWith(KEYED);
}

/**
 * Keyed digests of the digest or the name of a file that held an erased person, one for each key of the hub. The first is
 * the one to store. A hub without a master key gives none.
 */
export async function keyedForms(secrets: Secrets, text: string): Promise<string[]> {
  const keys = await secrets.deriveAll("erased files").catch((error) => {
    if (error instanceof Fault && error.code === "unavailable") return [];
    throw error;
  });
  return await Promise.all(keys.map(async (bytes) => {
    const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text));
    return KEYED + toHex(new Uint8Array(mac));
  }));
}

/** Whether a file with this content was taken before, and held a person who has been erased since. */
export async function isOfErased(db: Database, organizationId: number, keyed: readonly string[]): Promise<boolean> {
  const rows = await db.rows(sql`select 1 from ${bridgeFiles} where organization_id = ${organizationId}
    and sha256 in ${setOf(keyed)} limit 1`);
  return rows.length > 0;
}

/** What is to be emptied in files. */
export interface FoundInFiles {
  /** Sealed drops to delete. */
  readonly drops: readonly number[];
  /** Unsealed drops to delete. */
  readonly uploads: readonly number[];
  /** Records of taken files, with their new digest and name. */
  readonly taken: readonly (readonly [file: number, sha256: string, name: string])[];
}

/** `connections`: those whose drops are all deleted, including any that came after the search. */
export function emptyFiles(
  db: Database,
  organizationId: number,
  connections: readonly number[],
  found: FoundInFiles,
): Statement[] {
  const ofConnections = sql`connection_id in ${setOf(connections)}`;
  const gone = sql`select id from ${drops} where organization_id = ${organizationId} and ${ofConnections}`;
  const taken = JSON.stringify(found.taken);
  return [
    db.run(sql`delete from drop_chunks where drop_id in (${gone})`),
    db.run(sql`delete from drops where id in (${gone})`),
    // Chunks that were written after their drop was deleted.
    db.run(sql`delete from drop_chunks where drop_id not in (select id from drops)`),
    db.run(sql`update ${bridgeFiles} set
        sha256 = (select value ->> 1 from json_each(${taken}) where value ->> 0 = bridge_files.id),
        name = (select value ->> 2 from json_each(${taken}) where value ->> 0 = bridge_files.id)
      where organization_id = ${organizationId} and id in (select value ->> 0 from json_each(${taken}))`),
    // The digest of a whole input could prove a guess at what was erased.
    db.run(sql`update runs set figures = json_set(figures, '$.sha256', null) where organization_id = ${organizationId}
      and figures ->> '$.sha256' is not null and ${ofConnections}
      and status not in ('queued', 'planning', 'planned', 'held', 'applying')`),
    db.run(
      sql`update connections set last_applied = (select json_group_object(key, json(json_set(value, '$.sha256', '')))
        from json_each(last_applied)) where organization_id = ${organizationId} and last_applied <> '{}'
      and id in ${setOf(connections)}`,
    ),
  ];
}
