/** Tells what a database could not do just now, on a file, a libSQL server and D1 alike. */
import { causesOf, codeOf } from "../std/causes.ts";

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
  return causesOf(error).some((cause) =>
    pattern.test(codeOf(cause) ?? "") ||
    // D1 has the code in its message.
    (cause.message.startsWith("D1_ERROR") && pattern.test(cause.message))
  );
}
