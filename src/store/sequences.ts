/** Numbers for ids, reserved before the batch that uses them. Gaps are normal. */
import { sql } from "drizzle-orm";
import { retry } from "../std/retry.ts";
import { type Database, writeNamed } from "./database.ts";
import { sequences } from "./schema.ts";
import { mayBeDone } from "./trouble.ts";

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
  "session",
  "member",
  "template",
  "group",
] as const;

export type SequenceName = (typeof SEQUENCES)[number];

const MAX_TRIES = 3, PAUSE_MS = 200;

/** Takes `count` numbers and gives the first. If the database's answer was lost, others are taken. */
export async function reserve(db: Database, name: SequenceName, count = 1): Promise<number> {
  return await retry(async () => {
    const { made } = await writeNamed(db, {
      made: db.orm.insert(sequences).values({ name, next: 1 + count }).onConflictDoUpdate({
        target: sequences.name,
        set: { next: sql`${sequences.next} + ${count}` },
      }).returning({ next: sequences.next }),
    });
    return made[0]!.next - count;
  }, (error, failures) => mayBeDone(error) && failures < MAX_TRIES ? PAUSE_MS : null);
}
