/** Checks that a start has the master key that the database's secrets are sealed with. Works on every runtime. */
import { Fault } from "../model/errors.ts";
import { masterKeyId } from "../security/secrets.ts";
import { currentKeyId, setCurrentKeyId } from "../store/connections/sealed.ts";
import type { Database } from "../store/database.ts";

/**
 * Fails with `unprocessable` if the first key is not the database's. If one of the other keys is, the first key replaces it
 * instead. `from`: where the keys come from, for the message.
 */
export async function acceptKeys(db: Database, texts: readonly string[], from: string, now: number): Promise<void> {
  const ids = await Promise.all(texts.map(masterKeyId));
  const before = await currentKeyId(db);
  if (before === null || (before !== ids[0] && ids.includes(before))) {
    await setCurrentKeyId(db, before, ids[0]!, now);
  }
  // Read again: of two starts at the same time with different keys, only one can be first.
  const stored = await currentKeyId(db);
  if (stored === ids[0]) return;
  throw new Fault(
    "unprocessable",
    `${from} is the key "${ids[0]}": it should be the key "${stored}", which the database's secrets are sealed with. ` +
      'To go over to another key, give the old one as MUSTER_MASTER_KEY_PREVIOUS and run "muster key rotate"',
  );
}
