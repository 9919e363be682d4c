/**
 * Makes a backup of a database that hubs and commands may be using: a copy of one moment, in one file.
 *
 * `VACUUM INTO` reads one moment of the database and blocks no writer. The copy has no unused pages, so nothing that was
 * deleted or erased is in it. What is written meanwhile stays in the log until the copy is done.
 */
import { open, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Fault } from "../../model/errors.ts";
import { toInstant } from "../../std/time.ts";
import { openSqlite, pathOf, type SqliteFile } from "../sqlite.ts";
import { whenFree } from "../when-free.ts";
import { taken } from "./folder.ts";
import { type BackupFacts, pack, verify } from "./format.ts";
import { partOf, removeLeftovers, removePart } from "./leftovers.ts";
import type { BackupPlace } from "./place.ts";
import { schemaOf } from "./schema.ts";

export interface MadeBackup {
  readonly name: string;
  readonly facts: BackupFacts;
  readonly bytes: number;
}

export interface Making {
  /** Ends it while it is put, with its reason. */
  readonly signal?: AbortSignal;
  /** Called when the backup is made and read again, before it is put in its place. */
  readonly putting?: () => void;
}

/**
 * Makes the backup in one file, reads it again, and puts it under its name. `name` null: one by the hub and the time. Fails
 * with `conflict` if the place has the name, and with `not_found` if there is no database. A process that is killed leaves
 * nothing of that name.
 */
export async function makeBackup(
  databaseUrl: string,
  place: BackupPlace,
  givenName: string | null,
  { signal = new AbortController().signal, putting = () => {} }: Making = {},
): Promise<MadeBackup> {
  const createdAt = Date.now();
  const name = givenName ?? place.nameAt(await readHubId(databaseUrl), createdAt);
  await requireDatabase(databaseUrl);
  if (await place.has(name)) throw taken(place.addressOf(name));
  const work = workOf(databaseUrl, place, name);
  await removeLeftovers(dirname(work), work);
  const copy = partOf(work, "database"), part = partOf(work, "backup");
  try {
    await copyDatabase(databaseUrl, copy, work);
    const facts = await factsOf(copy, createdAt);
    const bytes = await pack(copy, part, facts);
    await removePart(copy);
    await verify(part);
    putting();
    await place.put(part, name, signal);
    return { name, facts, bytes };
  } finally {
    await removePart(copy);
    await removePart(part);
  }
}

/** Removes what backups for the place have left on this machine whose process has died, or is this one. */
export async function removeAllLeftovers(databaseUrl: string, place: BackupPlace): Promise<void> {
  if (place.folder !== null) return await removeLeftovers(place.folder);
  const work = workOf(databaseUrl, place, "");
  await removeLeftovers(dirname(work), work);
}

/** What the files are named by that a backup is made in. */
function workOf(databaseUrl: string, place: BackupPlace, name: string): string {
  return place.folder === null ? join(dirname(pathOf(databaseUrl)), "to-send") : join(place.folder, basename(name));
}

/** The hub that the database is of. Fails with `not_found` if there is no database, and `unprocessable` on an older one. */
export async function readHubId(databaseUrl: string): Promise<string> {
  await requireDatabase(databaseUrl);
  return await whenFree(() => {
    const file = openSqlite(databaseUrl);
    try {
      return hubIdIn(file);
    } finally {
      file.close();
    }
  });
}

async function requireDatabase(databaseUrl: string): Promise<void> {
  const database = pathOf(databaseUrl);
  if (await stat(database).catch(() => null) !== null) return;
  throw new Fault(
    "not_found",
    `There is no database at ${database}: set MUSTER_DATA_DIR to the hub's data directory`,
  );
}

function hubIdIn(file: SqliteFile): string {
  const id = one(file, "select hub_id from hub_marks");
  if (id !== null) return String(id);
  throw new Fault(
    "unprocessable",
    "The database is of an earlier Muster: start this version on it once, and repeat",
  );
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
    return {
      created_at: toInstant(createdAt),
      muster: JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8")).version,
      hub_id: hubIdIn(file),
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
