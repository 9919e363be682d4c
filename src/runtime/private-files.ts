/**
 * What the hub keeps on disk is its owner's alone: people's data, keys, tokens. New files and folders are made so, and a
 * start says which of the old ones others may read. Windows has no such rights.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

const OTHERS = 0o077;

/** To be called first by a process: whatever it makes from then on, SQLite's files too, is for its owner alone. */
export function keepFilesPrivate(): void {
  if (process.platform !== "win32") process.umask(OTHERS);
}

export interface Readable {
  readonly path: string;
  /** The command that changes that. */
  readonly command: string;
}

/** Those of the folders, and of the files right in them, that others may read, write or enter. */
export async function readableByOthers(dirs: readonly string[]): Promise<readonly Readable[]> {
  if (process.platform === "win32") return [];
  const found: Readable[] = [];
  for (const dir of dirs) {
    const names = await readdir(dir).catch(() => []);
    for (const path of [dir, ...names.map((name) => join(dir, name))]) {
      const facts = await stat(path).catch(() => null);
      if (facts === null || (facts.mode & OTHERS) === 0) continue;
      // A word that no shell reads as anything but this path.
      const word = `'${path.replaceAll("'", "'\\''")}'`;
      found.push({ path, command: `chmod ${facts.isDirectory() ? "700" : "600"} ${word}` });
    }
  }
  return found;
}
