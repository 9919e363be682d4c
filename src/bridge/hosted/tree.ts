/**
 * The files of one connection on disk: what clients write, read and take away, and what is whole and may be taken.
 *
 * Whether a file is whole is a bit of its mode, so it is as durable as the file, moves with it and needs nothing beside
 * it: `rw-------` while it is written or after its client was lost, `rw-r-----` once its client closed it and its bytes
 * are on disk. A file that is whole and not taken yet is never written over: it steps aside and is taken as well.
 */
import type { Stats } from "node:fs";
import { constants, type FileHandle, lstat, mkdir, open, readdir, rename, rm, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { BridgeConnection, ErasedTree, SeenFile } from "../contract.ts";
import { companionOf, isMeant, isTemporary } from "../places.ts";
import { eraseTree, type FoundFile } from "./erase-tree.ts";
import type { HostedLimits } from "./limits.ts";
import { createOpenFiles } from "./open-files.ts";
import { Refusal, refusalOf } from "./refusal.ts";
import type { Shelf } from "./view.ts";
import { createSerial } from "../../std/serial.ts";

const PARTIAL = 0o600;
const WHOLE = 0o640;
const WHOLE_BIT = 0o040;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR } = constants;

/** Folders on disk, each of them flat. `aside`: what was written over before it was taken. `making`: not there yet. */
const FOLDERS = { drops: "drops", ".bak": "bak", reports: "reports", failed: "failed" } as const;
const ASIDE = "aside";
const MAKING = "making";
const ASIDE_NAME = /^[0-9a-f-]{36}-(.+)$/s;

export interface FileEntry {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: number;
}

/** A file that is whole and waits. */
export interface WaitingFile extends FileEntry {
  /** Where it lies now: moves when a client writes its name anew. */
  path: string;
  readonly inode: number;
}

/** A client's open file, for writing. At most one of a file: who opens it next has it. */
export interface Writing {
  readonly size: number;
  write(offset: number | null, data: Uint8Array): Promise<void>;
  read(offset: number, length: number): Promise<Uint8Array>;
  truncate(size: number): Promise<void>;
  /** `byClient`: it asked for that, so the file is whole if all that it wrote was written. Else it was lost. */
  close(byClient: boolean): Promise<void>;
}

export interface WriteMode {
  readonly create: boolean;
  readonly truncate: boolean;
  readonly exclusive: boolean;
}

/** The parts of a file handle that are written with, so that a test can have a disk that is full. */
export type OpenFile = (path: string, flags: number, mode?: number) => Promise<FileHandle>;

export interface TreeOptions {
  /** Folder of this connection's own. */
  readonly dir: string;
  readonly connection: () => BridgeConnection;
  readonly limits: HostedLimits;
  readonly openFile?: OpenFile;
  /** A file was closed by its client, renamed or moved in: it may be whole. */
  readonly changed: () => void;
  /** So many of the oldest files beside were removed: there was no more room for them. */
  readonly trimmed?: (count: number) => void;
}

/** A client's open file, for reading. */
export interface Reading {
  readonly handle: FileHandle;
  close(): Promise<void>;
}

export type Tree = Awaited<ReturnType<typeof openTree>>;

/** Makes what is missing of the folders; counts what is there. */
export async function openTree({ dir, connection, limits, openFile = open, changed, trimmed = () => {} }: TreeOptions) {
  for (const folder of [...Object.values(FOLDERS), ASIDE, MAKING]) {
    await mkdir(join(dir, folder), { recursive: true, mode: 0o700 });
  }
  // What was being made when the process ended is made again by whoever wanted it.
  for (const name of await readdir(join(dir, MAKING))) await rm(join(dir, MAKING, name), { force: true });

  const at = (shelf: Shelf, name: string) => join(dir, FOLDERS[shelf], name);
  const writers = new Map<string, { superseded: boolean; idle: Promise<unknown> }>();
  /** Until when a file is left alone, by name. */
  const quiet = new Map<string, number>();
  let taking: WaitingFile | null = null;
  let used = 0;
  let files = 0;
  /** No less than there is beside: counted anew only when that would be too much. */
  let kept = { bytes: Infinity, files: 0 };
  const openFiles = createOpenFiles();
  await count();
  await trim("", 0);

  /** What concerns names is done one by one. */
  const alone = createSerial();

  const listing = createSerial();

  async function count(): Promise<void> {
    const all = [...await statsIn(join(dir, FOLDERS.drops)), ...await statsIn(join(dir, ASIDE))];
    used = all.reduce((sum, { stats }) => sum + stats.size, 0);
    files = all.length;
  }

  function grow(bytes: number): void {
    if (bytes > 0 && used + openFiles.leftBehind() + bytes > limits.quotaBytes) {
      const most = sayBytes(limits.quotaBytes);
      throw new Refusal(
        "failed",
        `Files that wait to be taken may have ${most} together, and no room is left for this one; remove some`,
        "quota_exceeded",
      );
    }
    used += bytes;
  }

  /** A name is removed: whoever writes the file, writes it no more. */
  async function removeFile(path: string, stats: Stats, name: string | null): Promise<void> {
    await unlink(path);
    openFiles.removed(stats.ino, stats.size);
    const writer = name === null ? undefined : writers.get(name);
    if (writer === undefined) return;
    writer.superseded = true;
    writers.delete(name!);
  }

  /** Removes the oldest of what is kept beside, if there is too much of it, and never what has just come. */
  async function trim(just: string, more: number): Promise<void> {
    kept = { bytes: kept.bytes + more, files: kept.files + 1 };
    if (kept.bytes <= limits.keptBytes && kept.files <= limits.keptFiles) return;
    const shelves = [FOLDERS[".bak"], FOLDERS.reports, FOLDERS.failed].map((folder) => statsIn(join(dir, folder)));
    const all = (await Promise.all(shelves)).flat();
    let bytes = all.reduce((sum, { stats }) => sum + stats.size, 0);
    let left = all.length;
    kept = { bytes, files: left };
    if (bytes <= limits.keptBytes && left <= limits.keptFiles) return;
    // A little more than needed, so that it is not needed again at once.
    const [mostBytes, mostFiles] = [limits.keptBytes * 0.9, limits.keptFiles * 0.9];
    all.sort((a, b) => a.stats.ctimeMs - b.stats.ctimeMs);
    for (const { path, stats } of all) {
      if (bytes <= mostBytes && left <= mostFiles) break;
      if (path === just) continue;
      await removeFile(path, stats, null);
      bytes -= stats.size;
      left--;
    }
    kept = { bytes, files: left };
    if (left < all.length) trimmed(all.length - left);
  }

  function checkRoom(): void {
    if (files < limits.files) return;
    throw new Refusal(
      "failed",
      `${limits.files} files wait to be taken, and there may be no more; remove some`,
      "quota_exceeded",
    );
  }

  function checkFree(path: string): void {
    if (taking?.path === path) throw new Refusal("failed", "This file is being taken over; try again in a moment");
  }

  const isWorthKeeping = (name: string, stats: Stats) =>
    isWhole(stats) && stats.size > 0 && isMeant(name, connection().settings.patterns);

  /** Frees the name for a new file. */
  async function clear(name: string, stats: Stats): Promise<void> {
    const path = at("drops", name);
    if (!isWorthKeeping(name, stats)) {
      checkFree(path);
      await removeFile(path, stats, null);
      used -= stats.size;
      files--;
      return;
    }
    checkRoom();
    const aside = join(dir, ASIDE, `${crypto.randomUUID()}-${name}`);
    await durably(join(dir, ASIDE), async () => {
      await rename(path, aside);
      if (taking?.path === path) taking.path = aside;
    });
  }

  async function openToWrite(name: string, { create, truncate, exclusive }: WriteMode): Promise<Writing> {
    const path = at("drops", name);
    let stats = await statOf(path);
    if (stats === null && !create) throw new Refusal("missing", "There is no such file");
    if (stats !== null && exclusive) throw new Refusal("failed", "There is already a file of this name");
    const before = writers.get(name);
    if (before !== undefined) {
      before.superseded = true;
      await before.idle;
      stats = await statOf(path);
    }
    if (stats !== null && truncate) {
      await clear(name, stats);
      stats = null;
    }
    if (stats === null) checkRoom();
    else checkFree(path);
    const handle = stats === null
      ? await openFile(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, PARTIAL)
      : await openFile(path, O_RDWR | O_NOFOLLOW);
    if (stats === null) files++;
    const inode = stats?.ino ?? (await handle.stat()).ino;
    openFiles.opened(inode);

    const self = { superseded: false, idle: Promise.resolve() as Promise<unknown> };
    writers.set(name, self);
    // A file that was whole may be gone on with, and what it had is not written over.
    const floor = stats !== null && isWorthKeeping(name, stats) ? stats.size : 0;
    let size = stats?.size ?? 0;
    let marked = stats !== null && isWhole(stats);
    let failed = false;

    function change<T>(work: () => Promise<T>): Promise<T> {
      if (self.superseded) {
        throw new Refusal("failed", "The file was opened anew or removed: this handle no longer writes it");
      }
      const done = (async () => {
        if (marked) {
          await handle.chmod(PARTIAL);
          await handle.sync();
          marked = false;
        }
        return await work();
      })().catch((error) => {
        failed = true;
        throw error;
      });
      self.idle = done.catch(() => {});
      return done;
    }

    function checkSize(wanted: number): void {
      if (wanted <= limits.fileBytes) return;
      failed = true;
      throw new Refusal(
        "failed",
        `A file may have ${sayBytes(limits.fileBytes)}, and this one has more`,
        "too_large",
      );
    }

    return {
      get size() {
        return size;
      },
      async write(offset, data) {
        const from = offset ?? size;
        const end = from + data.length;
        if (!Number.isSafeInteger(end)) throw new Refusal("failed", "The offset is beyond any file");
        if (from < floor) {
          throw new Refusal("failed", "This file is whole and waits to be taken: write it anew, or remove it first");
        }
        checkSize(end);
        await change(async () => {
          if (end > size) {
            grow(end - size);
            size = end;
          }
          await writeAll(handle, data, from);
        });
      },
      async read(offset, length) {
        return await readAt(handle, offset, length);
      },
      async truncate(wanted) {
        if (wanted < floor) throw new Refusal("failed", "This file is whole and waits to be taken: remove it first");
        checkSize(wanted);
        if (wanted === size) return;
        await change(async () => {
          grow(wanted - size);
          size = wanted;
          await handle.truncate(wanted);
        });
      },
      close(byClient) {
        return alone(async () => {
          await self.idle;
          if (writers.get(name) === self) writers.delete(name);
          try {
            if (!byClient || self.superseded) return;
            if (failed) {
              throw new Refusal("failed", "Not all of the file was written, so it is not whole: upload it again");
            }
            // First the bytes, then the word that they are all there; nobody looks before it is left alone.
            await handle.sync();
            leaveAlone(name);
            await durably(join(dir, FOLDERS.drops), async () => {
              await handle.chmod(WHOLE);
              await handle.sync();
            });
            settleLater(name);
          } finally {
            await handle.close();
            openFiles.closed(inode);
          }
        });
      },
    };
  }

  function leaveAlone(name: string): void {
    const now = performance.now();
    for (const [each, until] of quiet) if (until <= now) quiet.delete(each);
    quiet.set(name, now + limits.settleMs);
  }

  function settleLater(name: string): void {
    leaveAlone(name);
    changed();
  }

  return {
    /** One list at a time: each is made of many times what it holds in the end. */
    list(shelf: Shelf): Promise<FileEntry[]> {
      return listing(async () =>
        (await statsIn(join(dir, FOLDERS[shelf]))).map(({ name, stats }) => entryOf(name, stats))
      );
    },

    async stat(shelf: Shelf, name: string): Promise<FileEntry> {
      const stats = await statOf(at(shelf, name));
      if (stats === null) throw new Refusal("missing", "There is no such file");
      return entryOf(name, stats);
    },

    openToRead: (shelf: Shelf, name: string): Promise<Reading> =>
      alone(async () => {
        const path = at(shelf, name);
        const stats = await statOf(path);
        if (stats === null) throw new Refusal("missing", "There is no such file");
        const handle = await open(path, O_RDONLY | O_NOFOLLOW);
        openFiles.opened(stats.ino);
        return {
          handle,
          async close() {
            await handle.close();
            openFiles.closed(stats.ino);
          },
        };
      }),

    openToWrite: (name: string, mode: WriteMode): Promise<Writing> => alone(() => openToWrite(name, mode)),

    /** A file that was dropped gets another name, or one of the places is dropped again. */
    rename: (from: { shelf: Shelf; name: string }, to: string): Promise<void> =>
      alone(async () => {
        const [source, target] = [at(from.shelf, from.name), at("drops", to)];
        const stats = await statOf(source);
        if (stats === null) throw new Refusal("missing", "There is no such file");
        if (await statOf(target) !== null) throw new Refusal("failed", "There is already a file of this name");
        if (from.shelf !== "drops") {
          checkRoom();
          grow(stats.size);
          files++;
        }
        checkFree(source);
        const writer = from.shelf === "drops" ? writers.get(from.name) : undefined;
        if (writer !== undefined) throw new Refusal("failed", "This file is still being written; close it first");
        leaveAlone(to);
        await durably(join(dir, FOLDERS.drops), () => rename(source, target));
        settleLater(to);
      }),

    remove: (shelf: Shelf, name: string): Promise<void> =>
      alone(async () => {
        const path = at(shelf, name);
        const stats = await statOf(path);
        if (stats === null) throw new Refusal("missing", "There is no such file");
        checkFree(path);
        await removeFile(path, stats, shelf === "drops" ? name : null);
        if (shelf !== "drops") return;
        used -= stats.size;
        files--;
      }),

    /** All that lies where files are dropped; and counts anew, should anybody else have been at the disk. */
    async seen(): Promise<SeenFile[]> {
      if (writers.size === 0) await alone(count);
      const { patterns } = connection().settings;
      return (await statsIn(join(dir, FOLDERS.drops))).map(({ name, stats }) => {
        const entry = entryOf(name, stats);
        if (!isWhole(stats)) return { ...entry, left: "unfinished" };
        const isNone = isTemporary(name) || companionOf(name) !== null || isMeant(name, patterns);
        return isNone ? entry : { ...entry, left: "unmatched" };
      });
    },

    /**
     * Files that are whole, the one first that was written first, as far as none of them settles: one behind that waits
     * with it, since their order is part of what they mean. And when that one may be taken; null: none settles.
     */
    async waiting(): Promise<{ files: WaitingFile[]; settlesInMs: number | null }> {
      const { patterns } = connection().settings;
      const now = performance.now();
      const found: (WaitingFile & { order: number; settlesInMs: number })[] = [];
      for (const { name, path, stats } of await statsIn(join(dir, FOLDERS.drops))) {
        if (!isWhole(stats) || stats.size === 0 || !isMeant(name, patterns) || writers.has(name)) continue;
        const settlesInMs = (quiet.get(name) ?? 0) - now;
        found.push({ ...entryOf(name, stats), path, inode: stats.ino, order: stats.mtimeMs, settlesInMs });
      }
      for (const { name, path, stats } of await statsIn(join(dir, ASIDE))) {
        const original = ASIDE_NAME.exec(name)?.[1];
        if (original === undefined) continue;
        found.push({ ...entryOf(original, stats), path, inode: stats.ino, order: stats.mtimeMs, settlesInMs: 0 });
      }
      found.sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1));
      const settling = found.findIndex(({ settlesInMs }) => settlesInMs > 0);
      if (settling < 0) return { files: found, settlesInMs: null };
      return { files: found.slice(0, settling), settlesInMs: found[settling]!.settlesInMs };
    },

    /** Nobody changes the file from now on, until it is released. False: it is no longer what it was. One at a time. */
    hold: (file: WaitingFile): Promise<boolean> =>
      alone(async () => {
        const stats = await statOf(file.path);
        const writer = file.path === at("drops", file.name) ? writers.get(file.name) : undefined;
        if (stats === null || writer !== undefined || !isWhole(stats) || stats.ino !== file.inode) return false;
        if (stats.size !== file.bytes || Math.floor(stats.mtimeMs) !== file.modifiedAt) return false;
        taking = file;
        return true;
      }),

    release(): void {
      taking = null;
    },

    /** Puts away the file that is held. It is never left: this disk can be written. */
    putAway: (file: WaitingFile, how: BridgeConnection["settings"]["after"], keptAs: string): Promise<void> =>
      alone(async () => {
        const dropped = file.path === at("drops", file.name);
        if (how === "delete") {
          await unlink(file.path);
          openFiles.removed(file.inode, file.bytes);
        } else await rename(file.path, at(".bak", keptAs));
        used -= file.bytes;
        files--;
        if (how !== "delete") await trim(at(".bak", keptAs), file.bytes);
        await syncFolder(join(dir, FOLDERS[".bak"]));
        await syncFolder(dropped ? join(dir, FOLDERS.drops) : join(dir, ASIDE));
      }),

    /** The whole file at once in place of another, or none. For the bridge itself. */
    async put(shelf: Exclude<Shelf, "drops">, name: string, content: ReadableStream<Uint8Array>): Promise<void> {
      const making = join(dir, MAKING, crypto.randomUUID());
      let bytes = 0;
      try {
        const handle = await openFile(making, O_RDWR | O_CREAT | O_EXCL, PARTIAL);
        try {
          for await (const chunk of content as unknown as AsyncIterable<Uint8Array>) {
            await writeAll(handle, chunk, bytes);
            bytes += chunk.length;
          }
          await handle.chmod(WHOLE);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await alone(async () => {
          await rename(making, at(shelf, name));
          await syncFolder(join(dir, FOLDERS[shelf]));
          await trim(at(shelf, name), bytes);
        });
      } catch (error) {
        await rm(making, { force: true });
        throw refusalOf(error);
      }
    },

    /** See HostedServer.erase. */
    erase: (askedAt: number, now: number): Promise<ErasedTree> =>
      alone(async () => {
        const { patterns } = connection().settings;
        const isInput = ({ name, stats }: FoundFile) => isWhole(stats) && stats.size > 0 && isMeant(name, patterns);
        const isWritten = ({ name }: FoundFile) => writers.has(name);
        try {
          return await eraseTree({ ...foldersOf(dir), isInput, isWritten }, askedAt, now);
        } finally {
          await count();
        }
      }),

    /** From one place to another; for the bridge itself. Rejects with a code "ENOENT" where there is no such file. */
    move: (from: { shelf: Shelf; name: string }, to: { shelf: Shelf; name: string }): Promise<void> =>
      alone(async () => {
        await rename(at(from.shelf, from.name), at(to.shelf, to.name));
        await syncFolder(join(dir, FOLDERS[to.shelf]));
        if (from.shelf === "drops" || to.shelf === "drops") await count();
        if (from.shelf === "drops") await trim(at(to.shelf, to.name), (await statOf(at(to.shelf, to.name)))?.size ?? 0);
      }),
  };
}

/** Of a tree that nobody holds: its files that are whole wait all the same, should somebody hold it again. */
export async function eraseUnheldTree(dir: string, askedAt: number, now: number): Promise<ErasedTree> {
  const isInput = ({ stats }: FoundFile) => isWhole(stats) && stats.size > 0;
  const folders = foldersOf(dir);
  // What was being made when the process ended: only who opens the tree removes it.
  const copies = [...folders.copies, join(dir, MAKING)];
  return await eraseTree({ ...folders, copies, isInput, isWritten: () => false }, askedAt, now);
}

function foldersOf(dir: string) {
  return {
    list: (folder: string) => statsIn(folder).catch(ifMissing([])),
    sync: (folder: string) => syncFolder(folder).catch(ifMissing(undefined)),
    copies: [FOLDERS[".bak"], FOLDERS.reports, FOLDERS.failed].map((name) => join(dir, name)),
    drops: join(dir, FOLDERS.drops),
    aside: join(dir, ASIDE),
  };
}

function ifMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if ((error as { code?: string }).code === "ENOENT") return instead;
    throw error;
  };
}

/** Whether the client has closed it. */
function isWhole(stats: Stats): boolean {
  return (stats.mode & WHOLE_BIT) !== 0;
}

function entryOf(name: string, stats: Stats): FileEntry {
  return { name, bytes: stats.size, modifiedAt: Math.floor(stats.mtimeMs) };
}

/** Plain files alone: whatever else an operator may have put there is not for clients. */
async function statOf(path: string): Promise<Stats | null> {
  try {
    const stats = await lstat(path);
    if (stats.isFile()) return stats;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return null;
    throw error;
  }
  throw new Refusal("denied", "This is no plain file");
}

async function statsIn(folder: string): Promise<{ name: string; path: string; stats: Stats }[]> {
  const found: { name: string; path: string; stats: Stats }[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(folder, entry.name);
    const stats = await lstat(path).catch(() => null);
    if (stats?.isFile()) found.push({ name: entry.name, path, stats });
  }
  return found;
}

export async function readAt(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  if (!Number.isSafeInteger(offset)) return new Uint8Array();
  const buffer = new Uint8Array(length);
  const { bytesRead } = await handle.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}

async function writeAll(handle: FileHandle, data: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, offset + done);
    done += bytesWritten;
  }
}

/**
 * That a name is there, or is not, is on disk too. The folder is opened before anything is done in it: where no file is
 * free, nothing was done, and whoever asked for it is told so.
 */
async function durably(folder: string, work: () => Promise<unknown>): Promise<void> {
  const handle = await open(folder, O_RDONLY).catch(ifUnsynced);
  try {
    await work();
    await handle?.sync().catch(ifUnsynced);
  } finally {
    await handle?.close();
  }
}

/** Where folders cannot be synced, the system does it by itself. */
function ifUnsynced(error: unknown): null {
  if (["EISDIR", "EPERM", "EINVAL", "EACCES"].includes((error as { code?: string }).code ?? "")) return null;
  throw error;
}

const syncFolder = (folder: string) => durably(folder, () => Promise.resolve());

function sayBytes(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${Math.round(bytes / (1024 * 1024))} MiB` : `${bytes} bytes`;
}
