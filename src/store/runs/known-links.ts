/** The digests of a connection's links, by which planning recognizes rows that have not changed. */
import { type SQL, sql } from "drizzle-orm";
import {
  addDigests,
  addKnown,
  createDigestIndex,
  createKnown,
  type DigestIndex,
  type Known,
  NO_DIGEST,
} from "../../reconcile/columns/known.ts";
import type { Database } from "../database.ts";

/** Links read at once: few enough that their digests die as young objects. */
const WINDOW = 2_500;

/** The connection's links with the digests of their rows' bytes. */
export async function loadKnown(db: Database, connectionId: number): Promise<Known> {
  const known = createKnown(await countLinks(db, connectionId));
  const users = sql.raw("json_group_array(user_id)");
  const digest = sql.raw(
    `case when missing_since is null then coalesce(digest, '${NO_DIGEST}') else '${NO_DIGEST}' end`,
  );
  for await (const [ids, digests] of readLinks<string>(db, connectionId, users, digest)) {
    addKnown(known, JSON.parse(ids), digests);
  }
  return known;
}

/** The same links in the same order, with the digests of their cells by field. */
export async function loadCanonical(db: Database, connectionId: number): Promise<DigestIndex> {
  const index = createDigestIndex(await countLinks(db, connectionId));
  const digest = sql.raw(
    `case when missing_since is null then coalesce(canonical || substr(digest, 33), '${NO_DIGEST}')
      else '${NO_DIGEST}' end`,
  );
  for await (const [count, digests] of readLinks<number>(db, connectionId, sql.raw("count(*)"), digest)) {
    addDigests(index, count, digests);
  }
  return index;
}

async function countLinks(db: Database, connectionId: number): Promise<number> {
  const [row] = await db.rows<[number]>(sql`select count(*) from links where connection_id = ${connectionId}`);
  return row![0];
}

/** Links in the order in which they were made and are stored, some thousands at a time: `what` of them, and their digests as bytes. */
async function* readLinks<T>(
  db: Database,
  connectionId: number,
  what: SQL,
  digest: SQL,
): AsyncGenerator<[what: T, digests: ArrayBuffer]> {
  for (let after = 0;;) {
    const [page] = await db.rows<[T, ArrayBuffer | ArrayLike<number>, number]>(sql`select ${what},
      unhex(group_concat(d, '')), max(id) from (select user_id, rowid as id, ${digest} as d from links
      where connection_id = ${connectionId} and rowid > ${after} order by rowid limit ${WINDOW})`);
    if (page === undefined || page[2] === null) return;
    yield [page[0], new Uint8Array(page[1]).buffer as ArrayBuffer];
    after = page[2];
  }
}
