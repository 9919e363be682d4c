/** Inputs that the hub puts together from records of several requests: the drops of held runs that were added to. */
import { eq, sql } from "drizzle-orm";
import { actorOf, HUB } from "../../model/audit.ts";
import { toHex } from "../../std/hex.ts";
import type { Database, Statement } from "../database.ts";
import { reserve } from "../sequences.ts";
import { EVERYWHERE, type Packing } from "./drop-content.ts";
import type { Drop } from "./drops.ts";
import { dropChunks, drops } from "./schema-drops.ts";

/** The name of such a drop, which no request can give to records. */
const NAME = "held.json";
const CHUNK_BYTES = 1024 * 1024;

/** The statements that store the content as a sealed drop in the place of `before`, which goes if it was joined, too. */
export async function joinDrop(
  db: Database,
  before: Drop,
  { bytes, type }: { readonly bytes: Uint8Array; readonly type: string },
  times: { readonly now: number; readonly expiresAt: number },
  packing: Packing = EVERYWHERE,
): Promise<{ readonly id: number; readonly statements: readonly Statement[] }> {
  const id = await reserve(db, "drop");
  const chunks: Statement[] = [];
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) {
    const piece = bytes.slice(from, from + CHUNK_BYTES);
    const values = { dropId: id, part: 1, chunk: chunks.length, bytes: piece.length };
    chunks.push(db.orm.insert(dropChunks).values({ ...values, body: await packing.gzip(piece) as Buffer }));
  }
  const hash = packing.createSha256();
  hash.update(bytes);
  const isJoined = before.name === NAME && before.contentType === type;
  return {
    id,
    statements: [
      db.orm.insert(drops).values({
        id,
        organizationId: before.organizationId,
        connectionId: before.connectionId,
        name: NAME,
        contentType: type,
        entity: "users",
        coverage: "diff",
        byHand: before.byHand,
        bytes: bytes.length,
        sha256: toHex(hash.digest()),
        sentBy: actorOf(HUB),
        sealedAt: times.now,
        expiresAt: times.expiresAt,
        createdAt: times.now,
      }),
      ...chunks,
      ...(isJoined
        ? [
          db.run(sql`delete from drop_chunks where drop_id = ${before.id}`),
          db.orm.delete(drops).where(eq(drops.id, before.id)),
        ]
        : []),
    ],
  };
}
