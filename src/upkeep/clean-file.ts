/**
 * Cleans the database's file after erasures. SQLite overwrites what is deleted, but a row that moved from one page to
 * another may have left a copy in room that its old page does not use; only a file that is written anew has none.
 */
import type { Hub } from "../hub.ts";
import { listUncleaned, markCleaned } from "../store/people/erasures.ts";
import { HOUR_MS } from "../std/time.ts";

/** Writers wait meanwhile, so this much of the time at most goes to it; and it begins again at the earliest then. */
const SHARE = 1 / 100;
const MIN_PAUSE_MS = 10_000;
/** A disk without room for a second file is not filled again and again. */
const AFTER_FAILURE_MS = HOUR_MS;

/** To be called again and again, when there is nothing else to do. */
export function createFileCleaner(hub: Hub, elapsed: () => number = () => performance.now()): () => Promise<void> {
  let notBefore = -Infinity;
  return async () => {
    const { db, now, log } = hub;
    if (db.file === undefined || elapsed() < notBefore) return;
    const uncleaned = await listUncleaned(db);
    if (uncleaned.length === 0) return;
    const began = elapsed(), since = now();
    notBefore = began + AFTER_FAILURE_MS;
    let isDone = false;
    try {
      isDone = await db.file.compact();
    } catch (error) {
      const { name, code } = (error ?? {}) as { name?: string; code?: string };
      return log("database.not_cleaned", { error: name ?? "unknown", code: code ?? null });
    }
    const ms = elapsed() - began;
    notBefore = elapsed() + Math.max(MIN_PAUSE_MS, ms / SHARE);
    if (!isDone) return;
    await markCleaned(db, uncleaned, { since, now: now() });
    // That they were cleaned up after is written with the rows that it is about, and names nobody.
    await db.file.truncateLog();
    log("database.cleaned", { erasures: uncleaned.length, ms: Math.round(ms) });
  };
}
