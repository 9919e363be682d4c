/** A folder as a place for backups. */
import { link, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../../model/errors.ts";
import { readFacts } from "./format.ts";
import { nameAt, timeOf } from "./names.ts";
import type { BackupPlace, StoredBackup } from "./place.ts";
import { syncFolder } from "./replace.ts";

export function createFolderPlace(dir: string): BackupPlace {
  const pathTo = (name: string) => join(dir, name);
  const has = async (name: string) => await stat(pathTo(name)).catch(() => null) !== null;
  return {
    folder: dir,
    addressOf: (name) => name === undefined ? dir : pathTo(name),
    nameAt: (_, ms) => nameAt(ms),
    list: (hubId) => list(dir, hubId),
    has,
    /** A link fails where the name has been taken meanwhile; a rename would replace that file. */
    async put(file, name) {
      await link(file, pathTo(name)).catch((error) => {
        if (error.code === "EEXIST") throw taken(pathTo(name));
        throw error;
      });
      await rm(file);
      await syncFolder(dir);
    },
    readFacts: (name) => readFacts(pathTo(name)),
    fetch: (name) => Promise.resolve({ path: pathTo(name), release: () => Promise.resolve() }),
    remove: (name) => rm(pathTo(name)),
  };
}

/** Other files are passed over, as are those whose head says another hub, or nothing. */
async function list(dir: string, hubId: string | null): Promise<StoredBackup[]> {
  const names = await readdir(dir).catch((error) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  const found: StoredBackup[] = [];
  for (const name of names.sort()) {
    const at = timeOf(name);
    if (at === null) continue;
    const path = join(dir, name);
    if (hubId !== null && (await readFacts(path).catch(() => null))?.hub_id !== hubId) continue;
    found.push({ name, at, bytes: (await stat(path)).size });
  }
  return found;
}

export function taken(address: string): Fault {
  return new Fault("conflict", `${address} exists: give the backup another name, or remove that one`);
}
