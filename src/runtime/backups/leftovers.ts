/** Names of files that are being written, and the removal of those whose process has died. */
import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import process from "node:process";
import { isAlive } from "../owner.ts";

/** `muster.db` → `muster.db.4711.database.part`: with the process's id, by which later ones know that it is left over. */
export function partOf(path: string, kind: "database" | "backup"): string {
  return `${path}.${process.pid}.${kind}.part`;
}

const PART = /\.(\d+)\.(?:database|backup)\.part(?:-wal|-shm|-journal)?$/;

/**
 * Removes parts in the folder of `path` that no living process writes. `path`: only those of this file; null: all in
 * `folder`. To be called before a part of the same name is made.
 */
export async function removeLeftovers(folder: string, path: string | null = null): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = PART.exec(name)?.[1];
    if (pid === undefined || (path !== null && !name.startsWith(`${basename(path)}.`))) continue;
    if (Number(pid) === process.pid || !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

/** Removes a part and what SQLite writes beside it. */
export async function removePart(part: string): Promise<void> {
  for (const end of ["", "-wal", "-shm", "-journal"]) await rm(`${part}${end}`, { force: true });
}
