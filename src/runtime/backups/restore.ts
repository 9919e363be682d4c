/**
 * The steps of a restore that need the machine: what has to fit is checked first, the database is made ready under another
 * name, and takes its place as the last step. Killed before that, the old state is left.
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Config } from "../config.ts";
import { migrateDatabase } from "../database.ts";
import { masterKeyFile, readKeys } from "../master-key.ts";
import { openSqlite, pathOf } from "../sqlite.ts";
import { Fault } from "../../model/errors.ts";
import { masterKeyId } from "../../security/secrets.ts";
import { type BackupFacts, unpack } from "./format.ts";
import { partOf, removeLeftovers, removePart } from "./leftovers.ts";
import type { BackupPlace } from "./place.ts";
import { requireUnused } from "./replace.ts";
import { requireKnownSchema } from "./schema.ts";

export interface Unpacked {
  readonly facts: BackupFacts;
  /** The unpacked database, in the folder where it will be used and with the tables of this version. */
  readonly part: string;
  readonly old: OldDatabase;
}

/** What is known of the database that is replaced; empty where there is none, or none that can be read. */
export interface OldDatabase {
  readonly hubId: string | null;
  /** Next numbers by sequence. */
  readonly sequences: ReadonlyMap<string, number>;
  readonly erased: readonly number[];
}

/**
 * Fails with `conflict` if there is a database and it must not be replaced, or a process uses it; and with `unprocessable`
 * if the backup is damaged, newer than this version, or needs another master key.
 */
export async function unpackForRestore(
  config: Config,
  place: BackupPlace,
  name: string,
  mayReplace: boolean,
): Promise<Unpacked> {
  const database = pathOf(config.databaseUrl);
  const facts = await place.readFacts(name);
  requireKnownSchema(facts.schema, facts.muster);
  await requireKey(config, facts.master_key);
  const exists = await stat(database).catch(() => null) !== null;
  if (exists && !mayReplace) {
    throw new Fault(
      "conflict",
      `There is a database at ${database}: with --replace, it is kept under another name and the backup takes its place`,
    );
  }
  if (exists) requireUnused(database);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await removeLeftovers(dirname(database), database);
  const part = partOf(database, "database");
  const packed = await place.fetch(name, dirname(database));
  try {
    await unpack(packed.path, part, place.addressOf(name));
    await migrateDatabase(urlOf(part), null);
  } catch (error) {
    await removePart(part);
    throw error;
  } finally {
    await packed.release();
  }
  return { facts, part, old: exists ? readOld(config.databaseUrl) : NONE };
}

export function urlOf(path: string): string {
  return `file:${encodeURI(path)}`;
}

async function requireKey(config: Config, needed: string | null): Promise<void> {
  if (needed === null) return;
  const file = masterKeyFile(config);
  const texts = config.masterKeys.length > 0 ? config.masterKeys : await readKeys(file).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const ids = await Promise.all(texts.map(masterKeyId));
  if (ids.includes(needed)) return;
  const from = config.masterKeys.length > 0 ? "MUSTER_MASTER_KEY" : file;
  throw new Fault(
    "unprocessable",
    `The backup needs the master key "${needed}", which its secrets are sealed with: ` +
      (ids.length === 0 ? `there is none at ${from}` : `${from} is the key "${ids[0]}"`) +
      `. Put that key's file at ${file}, or give the key as MUSTER_MASTER_KEY`,
  );
}

const NONE: OldDatabase = { hubId: null, sequences: new Map(), erased: [] };

function readOld(url: string): OldDatabase {
  try {
    const file = openSqlite(url);
    try {
      return {
        hubId: file.all("select hub_id from hub_marks")[0]?.[0] as string ?? null,
        sequences: new Map(file.all("select name, next from sequences") as [string, number][]),
        erased: file.all("select user_id from erasures").map(([id]) => id as number),
      };
    } finally {
      file.close();
    }
  } catch {
    // It is replaced because it is damaged, or it is of an earlier version.
    return NONE;
  }
}
