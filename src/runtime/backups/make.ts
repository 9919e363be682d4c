/**
 * Makes a backup of a database that hubs and commands may be using: a copy of one moment, in one file.
 *
 * `VACUUM INTO` reads one moment of the database and blocks no writer. The copy has no unused pages, so nothing that was
 * deleted or erased is in it. What is written meanwhile stays in the log until the copy is done.
 */
import { link, open, readFile, rm, stat } from "node:fs/promises";
import { Fault } from "../../model/errors.ts";
import { toInstant } from "../../std/time.ts";
import { openSqlite, pathOf, type SqliteFile } from "../sqlite.ts";
import { whenFree } from "../when-free.ts";
import { type BackupFacts, pack, verify } from "./format.ts";
import { folderOf, partOf, removeLeftovers, removePart } from "./leftovers.ts";
import { syncFolder } from "./replace.ts";
import { schemaOf } from "./schema.ts";

export interface MadeBackup {
  readonly facts: BackupFacts;
  readonly bytes: number;
}

/**
 * Writes the backup beside `to`, reads it again, and gives it its name. Fails with `conflict` if `to` exists, and with
 * `not_found` if there is no database. A process that is killed leaves no file of that name.
 */
export async function makeBackup(databaseUrl: string, to: string): Promise<MadeBackup> {
  const database = pathOf(databaseUrl);
  if (await stat(database).catch(() => null) === null) {
    throw new Fault(
      "not_found",
      `There is no database at ${database}: set MUSTER_DATA_DIR to the hub's data directory`,
    );
  }
  if (await stat(to).catch(() => null) !== null) throw taken(to);
  await removeLeftovers(folderOf(to), to);
  const copy = partOf(to, "database"), part = partOf(to, "backup");
  try {
    const createdAt = Date.now();
    await copyDatabase(databaseUrl, copy, to);
    const facts = await factsOf(copy, createdAt);
    const bytes = await pack(copy, part, facts);
    await removePart(copy);
    await verify(part);
    await giveName(part, to);
    return { facts, bytes };
  } finally {
    await removePart(copy);
    await removePart(part);
  }
}

async function copyDatabase(databaseUrl: string, copy: string, to: string): Promise<void> {
  // Made before SQLite does, so that nobody else can ever read it.
  const made = await open(copy, "wx", 0o600).catch((cause) => {
    throw new Fault("unavailable", `Cannot write beside ${to}`, { cause });
  });
  await made.close();
  const source = await whenFree(() => openSqlite(databaseUrl));
  try {
    await whenFree(() => source.all("vacuum into ?", [copy]));
  } finally {
    source.close();
  }
}

async function factsOf(copy: string, createdAt: number): Promise<BackupFacts> {
  const file = openSqlite(`file:${encodeURI(copy)}`);
  try {
    if (one(file, "select hub_id from hub_marks") === null) {
      throw new Fault(
        "unprocessable",
        "The database is of an earlier Muster: start this version on it once, and repeat",
      );
    }
    return {
      created_at: toInstant(createdAt),
      muster: JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8")).version,
      hub_id: String(one(file, "select hub_id from hub_marks")),
      master_key: one(file, "select key_id from master_keys") as string | null,
      schema: schemaOf(file),
      database_bytes: (await stat(copy)).size,
    };
  } finally {
    file.close();
  }
}

/** The first value; null: there is no row, or no such table. */
export function one(file: SqliteFile, text: string): unknown {
  try {
    return file.all(text)[0]?.[0] ?? null;
  } catch (error) {
    if ((error as { code?: string }).code === "SQLITE_ERROR") return null;
    throw error;
  }
}

/** A link fails where the name has been taken meanwhile; a rename would replace that file. */
async function giveName(part: string, to: string): Promise<void> {
  await link(part, to).catch((error) => {
    if (error.code === "EEXIST") throw taken(to);
    throw error;
  });
  await rm(part);
  await syncFolder(folderOf(to));
}

function taken(to: string): Fault {
  return new Fault("conflict", `${to} exists: give the backup another name, or remove that file`);
}
