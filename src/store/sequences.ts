/** Numbers for ids, reserved before the batch that uses them. Gaps are normal. */
import { sql } from "drizzle-orm";
import { type Database, writeNamed } from "./database.ts";
import { sequences } from "./schema.ts";

export const SEQUENCES = [
  "organization",
  "token",
  "connection",
  "department",
  "user",
  "drop",
  "run",
  "mail",
  "event",
  "endpoint",
  "delivery",
  "pgp_key",
  "page",
  "change",
  "seq",
  "bridge",
  "bridge_file",
  "check",
  "link",
] as const;

export type SequenceName = (typeof SEQUENCES)[number];

/** Takes `count` numbers and gives the first. */
export async function reserve(db: Database, name: SequenceName, count = 1): Promise<number> {
  const { made } = await writeNamed(db, {
    made: db.orm.insert(sequences).values({ name, next: 1 + count }).onConflictDoUpdate({
      target: sequences.name,
      set: { next: sql`${sequences.next} + ${count}` },
    }).returning({ next: sequences.next }),
  });
  return made[0]!.next - count;
}
