/**
 * Puts a restored database in the place of the hub's: in one step, so that there is always one of the two, and only while no
 * process uses the old one.
 */
import { link, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Fault } from "../../model/errors.ts";
import { isBusy } from "../../store/trouble.ts";
import { openSqlite, type SqliteFile } from "../sqlite.ts";

/** Fails with `conflict` if a process uses the database. */
export function requireUnused(database: string): void {
  openAlone(database)?.close();
}

/**
 * Renames `restored` to `database`. A database that is there is kept under another name, which is returned; null: there was
 * none. Fails with `conflict` if a process uses it.
 */
export async function putInPlace(restored: string, database: string, now: number): Promise<string | null> {
  const hadOne = await stat(database).catch(() => null) !== null;
  if (!hadOne) {
    // A start at the same time may have made one: a link does not replace it.
    await link(restored, database);
    await rm(restored);
    await syncFolder(dirname(database));
    return null;
  }
  const held = holdAlone(database);
  try {
    const kept = await keepOld(database, held !== null, now);
    await rename(restored, database);
    await syncFolder(dirname(database));
    return kept;
  } finally {
    held?.close();
  }
}

/** The database, locked so that no other process can open it. Null: it is no database any more. */
function openAlone(database: string): SqliteFile | null {
  return unlessDamaged(database, (file) => {
    // Set before the first read, it needs the file alone, also with a log.
    file.all("pragma locking_mode = exclusive");
    file.all("begin exclusive");
    file.all("rollback");
  });
}

/** As openAlone, and without a log: SQLite would take a log that is left for the new database's. */
function holdAlone(database: string): SqliteFile | null {
  return unlessDamaged(database, (file) => {
    file.all("pragma locking_mode = exclusive");
    // Moves the log into the file.
    const [mode] = file.all("pragma journal_mode = delete");
    if (mode?.[0] !== "delete") throw inUse(database);
    file.all("begin exclusive");
  });
}

function unlessDamaged(database: string, work: (file: SqliteFile) => void): SqliteFile | null {
  let file: SqliteFile | null = null;
  try {
    file = openSqlite(`file:${encodeURI(database)}`);
    work(file);
    return file;
  } catch (error) {
    file?.close();
    if (isBusy(error)) throw inUse(database, error);
    if (["SQLITE_NOTADB", "SQLITE_CORRUPT"].includes((error as { code?: string }).code ?? "")) return null;
    throw error;
  }
}

/** `muster.db` → `muster.db.replaced-20260301T080000Z`: a second name until the rename takes the first one away. */
async function keepOld(database: string, isReadable: boolean, now: number): Promise<string> {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  for (let more = 0;; more++) {
    const kept = `${database}.replaced-${time}${more === 0 ? "" : `-${more}`}`;
    try {
      await link(database, kept);
    } catch (error) {
      if ((error as { code?: string }).code === "EEXIST") continue;
      throw error;
    }
    // What is left of a damaged database may still be of use together.
    if (!isReadable) {
      for (const end of ["-wal", "-shm"]) await rename(`${database}${end}`, `${kept}${end}`).catch(() => {});
    }
    return kept;
  }
}

/** Makes the disk have the names of a folder's files. Not all file systems can. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function inUse(database: string, cause?: unknown): Fault {
  return new Fault("conflict", `A process uses ${database}: stop the hub and commands on it, and repeat`, { cause });
}
