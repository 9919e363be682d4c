/** A Worker that tries the fence on its D1: what is written, and what a batch fails with. Its tables are the hub's. */
import { sql } from "drizzle-orm";
import { createD1Database } from "../../src/store/d1.ts";
import { fenced, fencedDatabase, isFenced } from "../../src/store/fence.ts";
import { hasMoved, unlessMoved } from "../../src/store/moved.ts";

export interface Tried {
  /** Names that are in the database at the end. */
  readonly names: unknown[];
  /** Of each batch that failed: whether it is known why. */
  readonly fenced: boolean;
  readonly moved: boolean;
  readonly otherIsFenced: boolean;
}

export default {
  async fetch(_: Request, { DB }: { DB: Parameters<typeof createD1Database>[0] }): Promise<Response> {
    const db = createD1Database(DB);
    const add = (name: string) => db.run(sql`insert into sequences (name, next) values (${name}, 1)`);
    const errorOf = (write: Promise<unknown>) => write.then(() => null, (error) => error as unknown);
    await fencedDatabase(db, sql`select 1`).write([add("written")]);
    const first = await errorOf(fencedDatabase(db, sql`select 1 where 0`).write([add("late")]));
    // Also where the fence comes last.
    const fence = db.run(sql`select ${fenced(sql`select 1 where 0`)}`);
    const last = await errorOf(db.write([add("late"), fence]));
    const moved = await errorOf(db.write([add("late"), db.all(sql`select ${unlessMoved(sql`0`)}`)]));
    const other = await errorOf(db.write([add("late"), add("written")]));
    const rows = await db.rows(sql`select name from sequences where name in ('written', 'late')`);
    const tried: Tried = {
      names: rows.flat(),
      fenced: isFenced(first) && isFenced(last),
      moved: hasMoved(moved),
      otherIsFenced: other === null || isFenced(other),
    };
    return Response.json(tried);
  },
};
