/**
 * Chunks that are stored one by one before they are content, so that no request to a database carries more than one of
 * them, however large the whole is. One batch then makes them content (takePieces), or nothing does.
 *
 * Until then they are a part of a negative number, which no reader sees, and which goes with the drop that it belongs to.
 */
import { and, eq, lt, type SQL, sql } from "drizzle-orm";
import { type Database, insertIf, type Statement } from "../database.ts";
import { dropChunks } from "./schema-drops.ts";

export interface Chunk {
  /** Before gzip. */
  readonly bytes: number;
  readonly body: Uint8Array;
}

/** Pieces that are being stored. The last chunk is not stored yet: it goes with the batch that takes them. */
export interface Pieces {
  /** Takes the next chunk, and stores the one before it. */
  add(chunk: Chunk): Promise<void>;
  /**
   * Statements that make all chunks content of the drop `dropId`, as its part `part`, in the place of what that was; they do
   * nothing unless `condition` holds.
   */
  take(dropId: number, part: number, condition?: SQL): Statement[];
  /** Deletes what is stored and was not taken. */
  drop(): Promise<void>;
}

/** `also`: statements that go with each piece, such as those that renew a lease. Nothing is stored unless `condition` holds. */
export function openPieces(
  db: Database,
  dropId: number,
  { condition = ALWAYS, also = () => [] }: { condition?: SQL; also?: () => readonly Statement[] } = {},
): Pieces {
  // Two requests may send the same part at once.
  const own = -1 - Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  const stored = and(eq(dropChunks.dropId, dropId), eq(dropChunks.part, own))!;
  let last: Chunk | null = null, count = 0;

  function insert(dropId: number, part: number, { bytes, body }: Chunk, condition: SQL): Statement {
    return db.run(insertIf(dropChunks, { dropId, part, chunk: count, bytes, body: body as Buffer }, condition));
  }

  return {
    async add(chunk) {
      if (last !== null) {
        await db.write([insert(dropId, own, last, condition), ...also()]);
        count++;
      }
      last = chunk;
    },
    take: (into, part, condition = ALWAYS) => [
      db.orm.delete(dropChunks).where(and(eq(dropChunks.dropId, into), eq(dropChunks.part, part), condition)),
      ...(count === 0 ? [] : [db.orm.update(dropChunks).set({ dropId: into, part }).where(and(stored, condition))]),
      ...(last === null ? [] : [insert(into, part, last, condition)]),
    ],
    async drop() {
      if (count > 0) await db.write([db.orm.delete(dropChunks).where(stored)]);
    },
  };
}

/** The statement that deletes pieces which nobody has taken, such as those of a process that died. */
export function forgetPieces(db: Database, dropId: number): Statement {
  return db.orm.delete(dropChunks).where(and(eq(dropChunks.dropId, dropId), lt(dropChunks.part, 0)));
}

const ALWAYS = sql`1`;
