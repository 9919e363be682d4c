/** Tells that the database has no room left from other failures, on libSQL and on D1 alike. */

/**
 * Whether `error`, or what caused it, is a disk, or a database's own limit, that is full. Nothing of what was to be
 * written is then written, and the same write succeeds once there is room.
 */
export function isFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = String((cause as { code?: unknown }).code);
    // The index of the log is the one part that SQLite has another word for.
    if (/SQLITE_FULL|SQLITE_IOERR_SHMSIZE/.test(code)) return true;
    if (/SQLITE_FULL|database or disk is full/.test(cause.message)) return true;
  }
  return false;
}
