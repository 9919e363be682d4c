/** The numbered parts of an upload: each is there as a whole or not at all, and may be sent again. */
import { and, asc, eq, gte, sql } from "drizzle-orm";
import { type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, writeNamed } from "../database.ts";
import { mayBeDone } from "../trouble.ts";
import { isStored, matches } from "../unchanged.ts";
import { type Bytes, cutChunks } from "./cut-body.ts";
import { EVERYWHERE, FIRST_PART, type Packing, rest } from "./drop-content.ts";
import { openPieces } from "./drop-pieces.ts";
import { dropChunks, drops } from "./schema-drops.ts";

/** Received bytes of one part of an upload. */
export const MAX_PART_BYTES = 8 * 1024 * 1024;
export const MAX_PARTS = 10_000;

/** Stores or replaces one part of an upload; false when the upload no longer takes parts. */
export async function writePart(
  db: Database,
  dropId: number,
  part: number,
  body: Bytes,
  packing: Packing = EVERYWHERE,
  { by = HUB, now = 0 }: { by?: By; now?: number } = {},
): Promise<boolean> {
  const isOpen = { id: dropId, sealedAt: null, sha256: null };
  const open = isStored(drops, isOpen);
  const pieces = openPieces(db, dropId, { condition: open });
  try {
    let began = performance.now();
    for await (const data of cutChunks(body, MAX_PART_BYTES, "a part", db.valueBytes)) {
      await pieces.add({ bytes: data.length, body: await packing.gzip(data) });
      began = await rest(packing, began);
    }
    const { stillOpen } = await writeNamed(db, {
      chunks: pieces.take(dropId, part, open),
      audit: recordAudit(
        db,
        by,
        {
          organizationId: sql`(select organization_id from ${drops} where id = ${dropId})`,
          action: "upload.part_received",
          subjects: [encodeId("upl", dropId)],
        },
        now,
        open,
      ),
      stillOpen: db.orm.select({ id: drops.id }).from(drops).where(matches(drops, isOpen)),
    });
    if (stillOpen.length > 0) return true;
  } catch (error) {
    // A batch whose answer was lost may still take them. What is left goes when the upload is sealed or deleted.
    if (!mayBeDone(error)) await pieces.drop().catch(() => {});
    throw error;
  }
  await pieces.drop();
  return false;
}

/** The numbers of the stored parts, ascending, and the bytes of all of them. */
export async function listParts(db: Database, dropId: number): Promise<{ parts: number[]; bytes: number }> {
  const rows = await db.orm.select({ part: dropChunks.part, bytes: sql<number>`sum(${dropChunks.bytes})` })
    .from(dropChunks).where(and(eq(dropChunks.dropId, dropId), gte(dropChunks.part, FIRST_PART)))
    .groupBy(dropChunks.part).orderBy(asc(dropChunks.part));
  return { parts: rows.map((row) => row.part), bytes: rows.reduce((sum, row) => sum + row.bytes, 0) };
}
