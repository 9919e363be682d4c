/**
 * Errors of a database, of a file, a libSQL server and D1 alike: which of them pass, which writes may have been made in spite
 * of them, and each in one sentence without anybody's data.
 */
import { causesOf, codeOf } from "../std/causes.ts";

/**
 * A database on a server did not do what it was asked, or its answer was lost. The message is one sentence with what, where
 * and what to do, and holds neither SQL nor values.
 */
export class DatabaseTrouble extends Error {
  /** Whether it can pass by itself, so that the same request may succeed later. */
  readonly passes: boolean;
  /** False: nothing was written. True: only the answer was lost, perhaps, and the write may still be made. */
  readonly mayBeDone: boolean;

  constructor(message: string, options: { passes: boolean; mayBeDone: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DatabaseTrouble";
    this.passes = options.passes;
    this.mayBeDone = options.mayBeDone;
  }
}

/** The trouble of the database's server behind an error; null: there is none. */
export function troubleOf(error: unknown): DatabaseTrouble | null {
  return causesOf(error).find((cause) => cause instanceof DatabaseTrouble) ?? null;
}

/** Whether the database is away or overloaded, which passes by itself and is no fault of what was asked. */
export function isAway(error: unknown): boolean {
  return troubleOf(error)?.passes === true ||
    causesOf(error).some(({ message }) => message.startsWith("D1_ERROR") && D1_AWAY.test(message));
}

/** Whether it is unknown if the write was made. It must not be repeated then without a look at what is stored. */
export function mayBeDone(error: unknown): boolean {
  return troubleOf(error)?.mayBeDone === true;
}

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

/**
 * An error of the database in one sentence, without SQL and without values; null if it is none of the database's. What
 * SQLite says is shown only where its form leaves no room for a value.
 */
export function describeTrouble(error: unknown): string | null {
  const trouble = troubleOf(error);
  if (trouble !== null) return trouble.message;
  if (isFull(error)) return "The database has no room left: make room for it";
  if (isBusy(error)) return "The database was locked by another process for too long: end what holds it";
  const causes = causesOf(error);
  const code = causes.map(codeOf).find((each) => each !== null && SQLITE_CODE.test(each));
  const isOfD1 = causes.some(({ message }) => message.startsWith("D1_ERROR"));
  if (code === undefined && !isOfD1 && !causes.some(isFailedQuery)) return null;
  const message = causes.map((cause) => WITHOUT_VALUES.exec(cause.message)?.[0]).find((each) => each !== undefined);
  const shown = message === undefined ? code ?? "unknown" : code === undefined ? message : `${message} (${code})`;
  return `The database refused a statement: ${shown}`;
}

const SQLITE_CODE = /^(SQLITE|SQL|HRANA|PROTO|STREAM|SERVER|BLOCKED)[A-Z_]*$/;
const D1_AWAY = /network connection lost|storage operation exceeded timeout|reset because|overloaded/i;
/** Messages of SQLite that name tables and columns at most. */
const WITHOUT_VALUES = new RegExp(
  "(UNIQUE|NOT NULL|CHECK|FOREIGN KEY|PRIMARY KEY) constraint failed(: [\\w., ]+)?|no such (table|column|function): [\\w.]+|" +
    "has no column named \\w+|malformed JSON|database disk image is malformed|attempt to write a readonly database|" +
    "string or blob too big|too many SQL variables|disk I/O error|out of memory|interrupted",
);

/** What drizzle wraps an error in: its message is the whole statement with all values. */
function isFailedQuery(error: Error): boolean {
  return error.message.startsWith("Failed query: ");
}

function hasCode(error: unknown, pattern: RegExp): boolean {
  return causesOf(error).some((cause) =>
    pattern.test(codeOf(cause) ?? "") ||
    // D1 has the code in its message.
    (cause.message.startsWith("D1_ERROR") && pattern.test(cause.message))
  );
}
