/**
 * What is kept of files beside their rows: drops and uploads, and the records of files that bridges took. Found for an
 * erasure, and emptied with it.
 *
 * The digest and the name of a file that held an erased person are kept under a key alone, so that the file is known when
 * it comes again, and nobody learns or proves by them what it held.
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
  /** Its content is there, in whole or in parts. */
  readonly hasContent: boolean;
  /** Null: there is no run of it. */
  readonly run: { readonly entity: string; readonly status: string } | null;
}

const WINDOW = 80;

/** All of the organization, sealed or not, with or without their content. */
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
  /** It is put away, so nobody looks for it by its name. */
  readonly isSettled: boolean;
  /** Hex; of a file that is known to have held somebody who was erased, the digest under a key. */
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

/** What begins all that is kept under a key. */
export const KEYED = "keyed:";

export function isKeyed(digest: string): boolean {
  return digest.startsWith(KEYED);
}

/**
 * What stands for the digest, or the name, of a file that held somebody who was erased. The first is what is stored from
 * now on. None of a hub without a master key, which has nothing to keep it under.
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

/** Whether a file of that content was taken before, and held somebody who has been erased since. */
export async function isOfErased(db: Database, organizationId: number, keyed: readonly string[]): Promise<boolean> {
  const rows = await db.rows(sql`select 1 from ${bridgeFiles} where organization_id = ${organizationId}
    and sha256 in ${setOf(keyed)} limit 1`);
  return rows.length > 0;
}

/** What erasing does to files. */
export interface FoundInFiles {
  /** Drops, sealed or not, that go whole. */
  readonly drops: readonly number[];
  readonly uploads: readonly number[];
  /** Records of taken files, with the digest and the name that they have from now on. */
  readonly taken: readonly (readonly [file: number, sha256: string, name: string])[];
}

/** `connections`: those whose drops go all, also what has come to them since it was looked. */
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
    // What came in after its drop was gone belongs to nobody.
    db.run(sql`delete from drop_chunks where drop_id not in (select id from drops)`),
    db.run(sql`update ${bridgeFiles} set
        sha256 = (select value ->> 1 from json_each(${taken}) where value ->> 0 = bridge_files.id),
        name = (select value ->> 2 from json_each(${taken}) where value ->> 0 = bridge_files.id)
      where organization_id = ${organizationId} and id in (select value ->> 0 from json_each(${taken}))`),
    // With the digest of a whole input, too, a guess could be proven.
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
