/**
 * Removes from a tree what may hold people who were erased: its copies, reports and failed files, and files that no hub
 * ever reads. Which values are in which file is neither known nor needed here.
 *
 * Files that are whole and wait to be taken are inputs to come, and stay. Safe to repeat; done only once it is on disk.
 */
import { unlink } from "node:fs/promises";
import type { ErasedTree } from "../contract.ts";
import { ifMissing } from "../disk.ts";
import { isNoteOfErased } from "../not-used.ts";
import { filesIn, type Folders, foldersOf, type FoundFile, isWhole, syncFolder } from "./files.ts";
import { recount, type Tree, waitsToBeTaken } from "./tree.ts";
import { PLACES } from "./view.ts";

/** Some clients rename a file right after writing it, and should find it there. */
const LEFT_ALONE_MS = 60_000;

interface Erasing {
  readonly folders: Folders;
  /** Folders whose files go, notes excepted. */
  readonly copies: readonly string[];
  /** Whether it waits to be taken. */
  isInput(file: FoundFile): boolean;
  /** Whether a client writes it now. */
  isWritten(file: FoundFile): boolean;
}

/** See HostedServer.erase. */
export function eraseTree(tree: Tree, askedAt: number, now: number): Promise<ErasedTree> {
  const { folders, writers } = tree;
  return tree.inTurn(async () => {
    try {
      return await erase(
        {
          folders,
          copies: PLACES.map((place) => folders[place]),
          isInput: ({ name, stats }) => waitsToBeTaken(tree, name, stats),
          isWritten: ({ name }) => writers.has(name),
        },
        askedAt,
        now,
      );
    } finally {
      await recount(tree);
    }
  });
}

/** Erases a tree whose connection no bridge holds: all its files that are whole wait, should a bridge hold it again. */
export function eraseUnheldTree(dir: string, askedAt: number, now: number): Promise<ErasedTree> {
  const folders = foldersOf(dir);
  return erase(
    {
      folders,
      // A process that ended may have left half a copy in `making`, which only opening the tree would remove.
      copies: [...PLACES, "making" as const].map((name) => folders[name]),
      isInput: ({ stats }) => isWhole(stats) && stats.size > 0,
      isWritten: () => false,
    },
    askedAt,
    now,
  );
}

/** `askedAt`: files dropped later hold nobody who was erased. */
async function erase(
  { folders, copies, isInput, isWritten }: Erasing,
  askedAt: number,
  now: number,
): Promise<ErasedTree> {
  for (const folder of copies) {
    // Such a note names nobody, and says why a file is gone.
    for (const { name, path } of await filesIn(folder)) if (!isNoteOfErased(name)) await remove(path);
    await sync(folder);
  }
  let isDone = true, waiting = (await filesIn(folders.aside)).length;
  for (const file of await filesIn(folders.drops)) {
    const { mtimeMs, birthtimeMs } = file.stats;
    if (isInput(file)) waiting++;
    else if (Math.min(mtimeMs, birthtimeMs || mtimeMs) > askedAt) continue;
    else if (isWritten(file) || now - mtimeMs < LEFT_ALONE_MS) isDone = false;
    else await remove(file.path);
  }
  await sync(folders.drops);
  return { isDone, waiting };
}

const sync = (folder: string) => syncFolder(folder).catch(ifMissing(undefined));
const remove = (path: string) => unlink(path).catch(ifMissing(undefined));
