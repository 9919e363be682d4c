/**
 * Cleans the database's file after erasures. SQLite overwrites deleted rows, but a row that was moved between pages may
 * have left a copy in unused space of its old page; only rewriting the file removes that.
 */
import type { Hub } from "../hub.ts";
import { listUncleaned, markCleaned } from "../store/people/erasures.ts";
import { HOUR_MS } from "../std/time.ts";

/** Writers wait for it, so it takes at most this share of the time, with at least this pause in between. */
const SHARE = 1 / 100;
const MIN_PAUSE_MS = 10_000;
/** A disk without room for a second file must not be filled again and again. */
const AFTER_FAILURE_MS = HOUR_MS;

/** Gives a function to call regularly, when there is nothing else to do. */
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
    // Marking them wrote to the log again: rows of erasures, which hold no values.
    await db.file.truncateLog();
    log("database.cleaned", { erasures: uncleaned.length, ms: Math.round(ms) });
  };
}
