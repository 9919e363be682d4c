/** Recognizes temporary errors of a database, of a file, a libSQL server and D1 alike. */
import { causesOf, codeOf } from "../std/causes.ts";

/** Whether `error`, or its cause, is that another process writes. Nothing was written; the same write succeeds later. */
export function isBusy(error: unknown): boolean {
  return hasCode(error, /SQLITE_BUSY/);
}

/**
 * Whether `error`, or its cause, is that the disk is full or the database has reached its size limit. Nothing was written;
 * the same write succeeds once there is room.
 */
export function isFull(error: unknown): boolean {
  // SQLite has another code when it cannot grow the index of the log.
  return hasCode(error, /SQLITE_FULL|SQLITE_IOERR_SHMSIZE/);
}

function hasCode(error: unknown, pattern: RegExp): boolean {
  return causesOf(error).some((cause) =>
    pattern.test(codeOf(cause) ?? "") ||
    // D1 has the code in its message.
    (cause.message.startsWith("D1_ERROR") && pattern.test(cause.message))
  );
}
