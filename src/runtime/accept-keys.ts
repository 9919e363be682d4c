/** Whether a start has the master key that the database's secrets are sealed with. Needs no runtime. */
import { Fault } from "../model/errors.ts";
import { masterKeyId } from "../security/secrets.ts";
import { currentKeyId, setCurrentKeyId } from "../store/connections/sealed.ts";
import type { Database } from "../store/database.ts";

/**
 * Refuses a start whose first key is not the database's, unless one of the others is: then the first takes over.
 * `from` is where the keys come from, for the message.
 */
export async function acceptKeys(db: Database, texts: readonly string[], from: string, now: number): Promise<void> {
  const ids = await Promise.all(texts.map(masterKeyId));
  const before = await currentKeyId(db);
  if (before === null || (before !== ids[0] && ids.includes(before))) {
    await setCurrentKeyId(db, before, ids[0]!, now);
  }
  // Asked again: of two starts at once, each with a key of its own, one was first.
  const stored = await currentKeyId(db);
  if (stored === ids[0]) return;
  throw new Fault(
    "unprocessable",
    `${from} is the key "${ids[0]}": it should be the key "${stored}", which the database's secrets are sealed with. ` +
      'To go over to another key, give the old one as MUSTER_MASTER_KEY_PREVIOUS and run "muster key rotate"',
  );
}
