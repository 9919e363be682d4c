/**
 * What the bridge takes from a tree: which files are whole and in which order, one of them held while it is handed over,
 * and put away afterwards. Files in `aside` were replaced before they were taken, and wait as well.
 */
import { constants, type FileHandle, open, rename, unlink } from "node:fs/promises";
import type { BridgeConnection, SeenFile } from "../contract.ts";
import { companionOf, isMeant, isTemporary } from "../places.ts";
import { trimCopies } from "./copies.ts";
import { makePlace } from "./service-folders.ts";
import { entryOf, filesIn, findFile, isWhole, readAt, syncFolder } from "./files.ts";
import { pathOf, recount, type Tree, type WaitingFile, waitsToBeTaken } from "./tree.ts";

const CHUNK_BYTES = 256 * 1024;
/** Names in `aside`: a UUID and the file's name. */
const ASIDE_NAME = /^[0-9a-f-]{36}-(.+)$/s;

/** All files in the drop folder. Counts them again, in case another process has changed the disk. */
export async function seenFiles(tree: Tree): Promise<SeenFile[]> {
  if (tree.writers.size === 0) await tree.inTurn(() => recount(tree));
  const { patterns } = tree.connection().settings;
  return (await filesIn(tree.folders.drops)).map(({ name, stats }) => {
    const entry = entryOf(name, stats);
    if (!isWhole(stats)) return { ...entry, left: "unfinished" };
    const isExpected = isTemporary(name) || companionOf(name) !== null || isMeant(name, patterns);
    return isExpected ? entry : { ...entry, left: "unmatched" };
  });
}

/**
 * Files that are whole, in the order of their times, up to the first that settles: those behind it wait with it, since the
 * order of files is part of what they mean. `settlesInMs`: until that one may be taken; null: none settles.
 */
export async function waitingFiles(tree: Tree): Promise<{ files: WaitingFile[]; settlesInMs: number | null }> {
  const { folders, writers, settlesAt } = tree;
  const now = performance.now();
  const found: (WaitingFile & { order: number; settlesInMs: number })[] = [];
  for (const { name, path, stats } of await filesIn(folders.drops)) {
    if (!waitsToBeTaken(tree, name, stats) || writers.has(name)) continue;
    const settlesInMs = (settlesAt.get(name) ?? 0) - now;
    found.push({ ...entryOf(name, stats), path, inode: stats.ino, order: stats.mtimeMs, settlesInMs });
  }
  for (const { name, path, stats } of await filesIn(folders.aside)) {
    const original = ASIDE_NAME.exec(name)?.[1];
    if (original === undefined) continue;
    found.push({ ...entryOf(original, stats), path, inode: stats.ino, order: stats.mtimeMs, settlesInMs: 0 });
  }
  found.sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
  const settling = found.findIndex(({ settlesInMs }) => settlesInMs > 0);
  if (settling < 0) return { files: found, settlesInMs: null };
  return { files: found.slice(0, settling), settlesInMs: found[settling]!.settlesInMs };
}

/** No client changes the file until it is released. False: it has changed since it was listed. One file at a time. */
export function holdFile(tree: Tree, file: WaitingFile): Promise<boolean> {
  return tree.inTurn(async () => {
    const stats = await findFile(file.path);
    const isWritten = isInDrops(tree, file) && tree.writers.has(file.name);
    if (stats === null || isWritten || !isWhole(stats) || stats.ino !== file.inode) return false;
    if (stats.size !== file.bytes || Math.floor(stats.mtimeMs) !== file.modifiedAt) return false;
    tree.taking = file;
    return true;
  });
}

/** The file's bytes. Errors when the file at its path is not the one that was listed. */
export function readWaiting(file: WaitingFile): ReadableStream<Uint8Array> {
  let handle: FileHandle | null = null;
  let sent = 0;
  const close = () => handle?.close().catch(() => {});
  const changed = () => new Error("The file is no longer the one that was found whole");
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        if (handle === null) {
          handle = await open(file.path, constants.O_RDONLY | constants.O_NOFOLLOW);
          // The open handle is asked: by its path, the file could be replaced in between.
          const stats = await handle.stat();
          if (stats.ino !== file.inode || stats.size !== file.bytes) throw changed();
        }
        const data = await readAt(handle, sent, CHUNK_BYTES);
        sent += data.length;
        if (data.length > 0) return controller.enqueue(data);
        if (sent !== file.bytes) throw changed();
      } catch (error) {
        await close();
        throw error;
      }
      await close();
      controller.close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
}

/** Puts away the file that is held. `leave` moves it too: the bridge can always write to its own disk. */
export function putAway(
  tree: Tree,
  file: WaitingFile,
  how: BridgeConnection["settings"]["after"],
  keptAs: string,
): Promise<void> {
  const { inTurn, quota, folders } = tree;
  return inTurn(async () => {
    const folder = isInDrops(tree, file) ? folders.drops : folders.aside;
    const copy = pathOf(tree, ".bak", keptAs);
    if (how === "delete") {
      await unlink(file.path);
      quota.unlinked(file.inode, file.bytes);
    } else {
      await makePlace(tree, ".bak");
      await rename(file.path, copy);
    }
    quota.removed(file.bytes);
    if (how !== "delete") {
      await trimCopies(tree, copy, file.bytes);
      await syncFolder(folders[".bak"]);
    }
    await syncFolder(folder);
  });
}

export function releaseFile(tree: Tree): void {
  tree.taking = null;
}

function isInDrops(tree: Tree, { path, name }: WaitingFile): boolean {
  return path === pathOf(tree, "drops", name);
}
