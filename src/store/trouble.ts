/** Tells what a database could not do just now, on a file, a libSQL server and D1 alike. */

/** Whether `error`, or what caused it, is another writer at work. Nothing was written; the same write succeeds later. */
export function isBusy(error: unknown): boolean {
  return hasCode(error, /SQLITE_BUSY/);
}

/**
 * Whether `error`, or what caused it, is a disk, or a database's own limit, that is full. Nothing of what was to be
 * written is then written, and the same write succeeds once there is room.
 */
export function isFull(error: unknown): boolean {
  // The index of the log is the one part that SQLite has another code for.
  return hasCode(error, /SQLITE_FULL|SQLITE_IOERR_SHMSIZE/);
}

function hasCode(error: unknown, pattern: RegExp): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (pattern.test(String((cause as { code?: unknown }).code))) return true;
    // D1 puts the code behind its words.
    if (cause.message.startsWith("D1_ERROR") && pattern.test(cause.message)) return true;
  }
  return false;
}
