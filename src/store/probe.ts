/** Tries whether the database can be written. */
import { eq, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { sequences } from "./schema.ts";

/** Writes a row as it is, in its turn like any other write. The database does not grow by it. Fails as that write does. */
export async function probeWrite(db: Database): Promise<void> {
  await db.write([
    db.orm.update(sequences).set({ next: sql`${sequences.next}` }).where(eq(sequences.name, "organization")),
  ]);
}
