/** Inputs that the hub puts together from records of several requests: the drops of held runs that were added to. */
import { eq, sql } from "drizzle-orm";
import { actorOf, HUB } from "../../model/audit.ts";
import { toHex } from "../../std/hex.ts";
import type { Database, Statement } from "../database.ts";
import { reserve } from "../sequences.ts";
import { CHUNK_BYTES } from "./cut-body.ts";
import { EVERYWHERE, FIRST_PART, type Packing } from "./drop-content.ts";
import { forgetPieces, openPieces } from "./drop-pieces.ts";
import type { Drop } from "./drops.ts";
import type { Renew } from "./queue.ts";
import { drops } from "./schema-drops.ts";

/** The name of such a drop, which no request can give to records. */
const NAME = "held.json";

/**
 * The statements that make the content a sealed drop in the place of `before`, which goes if it was joined, too. All but
 * its last chunk is stored before, beside what `before` has.
 */
export async function joinDrop(
  db: Database,
  before: Drop,
  { bytes, type }: { readonly bytes: Uint8Array; readonly type: string },
  times: { readonly now: number; readonly expiresAt: number },
  renew: Renew,
  packing: Packing = EVERYWHERE,
): Promise<{ readonly id: number; readonly statements: readonly Statement[] }> {
  const id = await reserve(db, "drop");
  const pieces = openPieces(db, before.id, { also: renew });
  const chunkBytes = db.valueBytes ?? CHUNK_BYTES;
  for (let from = 0; from < bytes.length; from += chunkBytes) {
    const chunk = bytes.slice(from, from + chunkBytes);
    await pieces.add({ bytes: chunk.length, body: await packing.gzip(chunk) });
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
      ...pieces.take(id, FIRST_PART),
      forgetPieces(db, before.id),
      ...(isJoined
        ? [
          db.run(sql`delete from drop_chunks where drop_id = ${before.id}`),
          db.orm.delete(drops).where(eq(drops.id, before.id)),
        ]
        : []),
    ],
  };
}
