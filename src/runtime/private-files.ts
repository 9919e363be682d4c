/**
 * Keeps the hub's files private: they contain people's data, keys and tokens. New files and folders are accessible to their
 * owner only, and a start reports old ones that are not. Windows has no such permissions.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";

const OTHERS = 0o077;

/** To be called first by a process: all files that it makes from then on, also SQLite's, are for its owner only. */
export function keepFilesPrivate(): void {
  if (process.platform !== "win32") process.umask(OTHERS);
}

export interface Readable {
  readonly path: string;
  /** The command that corrects it. */
  readonly command: string;
}

/** Those of the folders, and of the files directly in them, that others may read, write or enter. */
export async function readableByOthers(dirs: readonly string[]): Promise<readonly Readable[]> {
  if (process.platform === "win32") return [];
  const found: Readable[] = [];
  for (const dir of dirs) {
    const names = await readdir(dir).catch(() => []);
    for (const path of [dir, ...names.map((name) => join(dir, name))]) {
      const facts = await stat(path).catch(() => null);
      if (facts === null || (facts.mode & OTHERS) === 0) continue;
      // Quoted, so that every shell takes it as one path.
      const word = `'${path.replaceAll("'", "'\\''")}'`;
      found.push({ path, command: `chmod ${facts.isDirectory() ? "700" : "600"} ${word}` });
    }
  }
  return found;
}
