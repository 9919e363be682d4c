/**
 * Files that clients write. A file is marked as whole when its client closes it and all its bytes are on disk; a client
 * that is lost, or a write that fails, leaves it unmarked.
 */
import { constants } from "node:fs/promises";
import { durably, findFile, isWhole, missing, PARTIAL, WHOLE, writeAt } from "./files.ts";
import { Refusal } from "./refusal.ts";
import {
  alreadyThere,
  checkNotTaken,
  freeName,
  leaveAlone,
  pathOf,
  settleLater,
  type Tree,
  waitsToBeTaken,
  type Writing,
} from "./tree.ts";
import { sizeInWords } from "../../std/size.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;

export interface WriteMode {
  readonly create: boolean;
  readonly truncate: boolean;
  readonly exclusive: boolean;
}

export function openToWrite(tree: Tree, name: string, mode: WriteMode): Promise<Writing> {
  const { inTurn, quota, openFile, writers } = tree;
  return inTurn(async () => {
    const path = pathOf(tree, "drops", name);
    let stats = await findFile(path);
    if (stats === null && !mode.create) throw missing();
    if (stats !== null && mode.exclusive) throw alreadyThere();
    const before = writers.get(name);
    if (before !== undefined) {
      before.isSuperseded = true;
      await before.idle;
      stats = await findFile(path);
    }
    if (stats !== null && mode.truncate) {
      await freeName(tree, name, stats);
      stats = null;
    }
    if (stats === null) quota.checkRoom();
    else checkNotTaken(tree, path);
    const handle = stats === null
      ? await openFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, PARTIAL)
      : await openFile(path, O_RDWR | O_NOFOLLOW);
    if (stats === null) quota.added();
    const inode = stats?.ino ?? (await handle.stat()).ino;
    quota.opened(inode);
    const writing: Writing = {
      name,
      handle,
      inode,
      // A whole file may be appended to; its own bytes stay.
      floor: stats !== null && waitsToBeTaken(tree, name, stats) ? stats.size : 0,
      size: stats?.size ?? 0,
      isMarkedWhole: stats !== null && isWhole(stats),
      hasFailed: false,
      isSuperseded: false,
      idle: Promise.resolve(),
    };
    writers.set(name, writing);
    return writing;
  });
}

/** `offset`: null appends. */
export async function write(tree: Tree, writing: Writing, offset: number | null, data: Uint8Array): Promise<void> {
  const from = offset ?? writing.size;
  const end = from + data.length;
  if (!Number.isSafeInteger(end)) throw new Refusal("failed", "The offset is beyond any file");
  if (from < writing.floor) {
    throw new Refusal("failed", "This file is whole and waits to be taken: replace it, or remove it first");
  }
  checkSize(tree, writing, end);
  await change(writing, async () => {
    if (end > writing.size) {
      tree.quota.grow(end - writing.size);
      writing.size = end;
    }
    await writeAt(writing.handle, data, from);
  });
}

export async function truncate(tree: Tree, writing: Writing, size: number): Promise<void> {
  if (size < writing.floor) {
    throw new Refusal("failed", "This file is whole and waits to be taken: remove it first");
  }
  checkSize(tree, writing, size);
  if (size === writing.size) return;
  await change(writing, async () => {
    tree.quota.grow(size - writing.size);
    writing.size = size;
    await writing.handle.truncate(size);
  });
}

/** `byClient`: the client closed the file, so it is whole if all writes succeeded. False: the client was lost. */
export function closeWriting(tree: Tree, writing: Writing, byClient: boolean): Promise<void> {
  const { name, handle } = writing;
  return tree.inTurn(async () => {
    await writing.idle;
    if (tree.writers.get(name) === writing) tree.writers.delete(name);
    try {
      if (!byClient || writing.isSuperseded) return;
      if (writing.hasFailed) {
        throw new Refusal("failed", "Not all of the file was written, so it is not whole: upload it again");
      }
      // The bytes are synced before the mark that they are all there. The file is left alone before it is marked, so that
      // it is not taken in between.
      await handle.sync();
      leaveAlone(tree, name);
      await durably(tree.folders.drops, async () => {
        await handle.chmod(WHOLE);
        await handle.sync();
      });
      settleLater(tree, name);
    } finally {
      await handle.close();
      tree.quota.closed(writing.inode);
    }
  });
}

/** Changes the file, which is not whole from then on. */
async function change(writing: Writing, work: () => Promise<void>): Promise<void> {
  if (writing.isSuperseded) {
    throw new Refusal("failed", "The file was opened again or removed: this handle no longer writes it");
  }
  const done = unmarkWhole(writing).then(work).catch((error) => {
    writing.hasFailed = true;
    throw error;
  });
  writing.idle = done.catch(() => {});
  await done;
}

async function unmarkWhole(writing: Writing): Promise<void> {
  if (!writing.isMarkedWhole) return;
  await writing.handle.chmod(PARTIAL);
  await writing.handle.sync();
  writing.isMarkedWhole = false;
}

function checkSize({ limits }: Tree, writing: Writing, wanted: number): void {
  if (wanted <= limits.fileBytes) return;
  writing.hasFailed = true;
  throw new Refusal("failed", `A file may have ${sizeInWords(limits.fileBytes)}, and this one has more`, "too_large");
}
