/**
 * The tree of one hosted connection: its state, and what clients see and do by name. In go operations on names, out come
 * entries, open files, or a Refusal. Files that clients write are in writing.ts, what the bridge takes is in waiting.ts and
 * what it puts beside in copies.ts.
 *
 * A file that is whole and not taken yet is never overwritten: it is moved aside and taken as well.
 */
import type { Stats } from "node:fs";
import { constants, type FileHandle, open, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { createSerial } from "../../std/serial.ts";
import type { BridgeConnection } from "../contract.ts";
import { isMeant } from "../places.ts";
import { durably, entryOf, type FileEntry, filesIn, findFile, foldersOf, isWhole, statFile } from "./files.ts";
import type { HostedLimits } from "./limits.ts";
import { createQuota } from "./quota.ts";
import { Refusal } from "./refusal.ts";
import type { Shelf } from "./view.ts";

/** `fs.open`, so that a test can have a disk that is full. */
export type OpenFile = (path: string, flags: number, mode?: number) => Promise<FileHandle>;

export interface TreeOptions {
  /** Folder of this connection's own. */
  readonly dir: string;
  readonly connection: () => BridgeConnection;
  readonly limits: HostedLimits;
  readonly openFile?: OpenFile;
  /** A file was closed by its client, renamed or moved in: it may be whole. */
  readonly changed: () => void;
  /** This many of the oldest copies were removed, as there was no room for more. */
  readonly trimmed?: (count: number) => void;
}

export type Tree = ReturnType<typeof createTree>;

/** A client's open file, for writing. A file has at most one: opening it again supersedes the one before. */
export interface Writing {
  readonly name: string;
  readonly handle: FileHandle;
  readonly inode: number;
  /** The bytes before this offset were whole when the file was opened, and are not overwritten. */
  readonly floor: number;
  size: number;
  /** Whether the mode on disk says that the file is whole. */
  isMarkedWhole: boolean;
  /** Not all that the client sent was written, so the file cannot become whole. */
  hasFailed: boolean;
  /** The file was opened again or removed by name. */
  isSuperseded: boolean;
  /** Resolves when the latest change is done. */
  idle: Promise<unknown>;
}

/** A file that is whole and waits to be taken. */
export interface WaitingFile extends FileEntry {
  /** Where it is now: this moves when a client replaces the file. */
  path: string;
  readonly inode: number;
}

/** A client's open file, for reading. */
export interface Reading {
  readonly handle: FileHandle;
  close(): Promise<void>;
}

export function createTree({ dir, openFile = open, trimmed = () => {}, ...options }: TreeOptions) {
  return {
    ...options,
    openFile,
    trimmed,
    folders: foldersOf(dir),
    /** Runs operations on names one at a time. */
    inTurn: createSerial(),
    /** Runs listings one at a time: each takes many times the memory of its result. */
    listing: createSerial(),
    quota: createQuota(options.limits),
    /** By name, who writes the file. */
    writers: new Map<string, Writing>(),
    /** By name, until when a file is left alone after it was closed or renamed, on the clock of `performance`. */
    settlesAt: new Map<string, number>(),
    /** The file that is being handed over. */
    taking: null as WaitingFile | null,
    /** At least what `.bak`, `reports` and `failed` hold: counted again only when that would be too much. */
    copies: { bytes: Infinity, files: 0 },
  };
}

export function pathOf({ folders }: Tree, shelf: Shelf, name: string): string {
  return join(folders[shelf], name);
}

/** Counts from the disk how many files wait. */
export async function recount({ folders, quota }: Tree): Promise<void> {
  quota.reset([...await filesIn(folders.drops), ...await filesIn(folders.aside)]);
}

export function listFiles({ folders, listing }: Tree, shelf: Shelf): Promise<FileEntry[]> {
  return listing(async () => (await filesIn(folders[shelf])).map(({ name, stats }) => entryOf(name, stats)));
}

export async function statEntry(tree: Tree, shelf: Shelf, name: string): Promise<FileEntry> {
  return entryOf(name, await statFile(pathOf(tree, shelf, name)));
}

export function openToRead(tree: Tree, shelf: Shelf, name: string): Promise<Reading> {
  const { inTurn, quota } = tree;
  return inTurn(async () => {
    const path = pathOf(tree, shelf, name);
    const { ino } = await statFile(path);
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    quota.opened(ino);
    return {
      handle,
      async close() {
        await handle.close();
        quota.closed(ino);
      },
    };
  });
}

/** Renames a dropped file, or drops a copy again. */
export function renameFile(tree: Tree, from: { shelf: Shelf; name: string }, to: string): Promise<void> {
  const { inTurn, quota, writers, folders } = tree;
  return inTurn(async () => {
    const [source, target] = [pathOf(tree, from.shelf, from.name), pathOf(tree, "drops", to)];
    const stats = await statFile(source);
    if (await findFile(target) !== null) throw alreadyThere();
    if (from.shelf !== "drops") {
      quota.checkRoom();
      quota.grow(stats.size);
      quota.added();
    }
    checkNotTaken(tree, source);
    if (from.shelf === "drops" && writers.has(from.name)) {
      throw new Refusal("failed", "This file is still being written; close it first");
    }
    leaveAlone(tree, to);
    await durably(folders.drops, () => rename(source, target));
    settleLater(tree, to);
  });
}

export function removeFile(tree: Tree, shelf: Shelf, name: string): Promise<void> {
  return tree.inTurn(async () => {
    const path = pathOf(tree, shelf, name);
    const stats = await statFile(path);
    checkNotTaken(tree, path);
    await unlinkFile(tree, path, stats);
    if (shelf !== "drops") return;
    const writer = tree.writers.get(name);
    if (writer !== undefined) writer.isSuperseded = true;
    tree.writers.delete(name);
    tree.quota.removed(stats.size);
  });
}

export async function unlinkFile({ quota }: Tree, path: string, { ino, size }: Stats): Promise<void> {
  await unlink(path);
  quota.unlinked(ino, size);
}

/** Frees the name for a new file. To be called in turn. */
export async function freeName(tree: Tree, name: string, stats: Stats): Promise<void> {
  const path = pathOf(tree, "drops", name);
  if (!waitsToBeTaken(tree, name, stats)) {
    checkNotTaken(tree, path);
    await unlinkFile(tree, path, stats);
    return tree.quota.removed(stats.size);
  }
  tree.quota.checkRoom();
  const aside = join(tree.folders.aside, `${crypto.randomUUID()}-${name}`);
  await durably(tree.folders.aside, async () => {
    await rename(path, aside);
    if (tree.taking?.path === path) tree.taking.path = aside;
  });
}

/** Whether a dropped file is whole, not empty, and one that the connection takes. */
export function waitsToBeTaken({ connection }: Tree, name: string, stats: Stats): boolean {
  return isWhole(stats) && stats.size > 0 && isMeant(name, connection().settings.patterns);
}

export function checkNotTaken({ taking }: Tree, path: string): void {
  if (taking?.path === path) throw new Refusal("failed", "This file is being taken over; try again in a moment");
}

export function alreadyThere(): Refusal {
  return new Refusal("failed", "There is already a file of this name");
}

export function leaveAlone({ settlesAt, limits }: Tree, name: string): void {
  const now = performance.now();
  for (const [each, until] of settlesAt) if (until <= now) settlesAt.delete(each);
  settlesAt.set(name, now + limits.settleMs);
}

/** The file of this name may be whole: reports that, and has it left alone for a moment from now. */
export function settleLater(tree: Tree, name: string): void {
  leaveAlone(tree, name);
  tree.changed();
}
