/**
 * A tree without what may hold people who were erased: its copies, reports and failed files, and files that no hub ever
 * reads. Whose values are in which of them, nobody here knows or needs to know.
 *
 * Files that are whole and wait to be taken are inputs to come, and stay. Safe to repeat; done only once it is on disk.
 */
import type { Stats } from "node:fs";
import { unlink } from "node:fs/promises";
import type { ErasedTree } from "../contract.ts";
import { NOTE_SUFFIX } from "../not-used.ts";

export interface FoundFile {
  readonly name: string;
  readonly path: string;
  readonly stats: Stats;
}

export interface TreeFolders {
  list(folder: string): Promise<readonly FoundFile[]>;
  sync(folder: string): Promise<void>;
  /** Copies and what came back of them. */
  readonly copies: readonly string[];
  readonly drops: string;
  /** What was written over before it was taken. */
  readonly aside: string;
  /** Whether it waits to be taken. */
  isInput(file: FoundFile): boolean;
  /** Whether a client writes it now. */
  isWritten(file: FoundFile): boolean;
}

/** Some clients rename a file once it is written, and should find it there. */
const LEFT_ALONE_MS = 60_000;

/** `askedAt`: what was dropped later is nothing of those who were erased. */
export async function eraseTree(tree: TreeFolders, askedAt: number, now: number): Promise<ErasedTree> {
  for (const folder of tree.copies) {
    // A note names nobody, and says why a file is gone.
    for (const { name, path } of await tree.list(folder)) if (!name.endsWith(NOTE_SUFFIX)) await remove(path);
    await tree.sync(folder);
  }
  let isDone = true, waiting = (await tree.list(tree.aside)).length;
  for (const file of await tree.list(tree.drops)) {
    const { mtimeMs, birthtimeMs } = file.stats;
    if (tree.isInput(file)) waiting++;
    else if (Math.min(mtimeMs, birthtimeMs || mtimeMs) > askedAt) continue;
    else if (tree.isWritten(file) || now - mtimeMs < LEFT_ALONE_MS) isDone = false;
    else await remove(file.path);
  }
  await tree.sync(tree.drops);
  return { isDone, waiting };
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error) => {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
  });
}
