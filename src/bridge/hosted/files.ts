/**
 * Plain files of a hosted tree on disk: its folders, whether a file is whole, and changes of names that are durable.
 *
 * Whether a file is whole is a bit of its mode, so it is as durable as the file, moves with it and needs nothing beside it:
 * `rw-------` while a client writes it or after that client was lost, `rw-r-----` once its client closed it and its bytes
 * are on disk.
 */
import type { Stats } from "node:fs";
import { constants, type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, ifMissing } from "../disk.ts";
import { Refusal } from "./refusal.ts";
import type { Shelf } from "./view.ts";

export const PARTIAL = 0o600;
export const WHOLE = 0o640;
const WHOLE_BIT = 0o040;

/** Each folder is flat. `aside`: files that were replaced before they were taken. `making`: files that are not complete yet. */
export type Folders = Readonly<Record<Shelf | "aside" | "making", string>>;

export interface FoundFile {
  readonly name: string;
  readonly path: string;
  readonly stats: Stats;
}

export interface FileEntry {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: number;
}

export function foldersOf(dir: string): Folders {
  const at = (name: string) => join(dir, name);
  return {
    drops: at("drops"),
    ".bak": at("bak"),
    reports: at("reports"),
    failed: at("failed"),
    aside: at("aside"),
    making: at("making"),
  };
}

/** Whether the client has closed it. */
export function isWhole(stats: Stats): boolean {
  return (stats.mode & WHOLE_BIT) !== 0;
}

export function entryOf(name: string, stats: Stats): FileEntry {
  return { name, bytes: stats.size, modifiedAt: Math.floor(stats.mtimeMs) };
}

/** Null if it is missing. Refuses anything but a plain file: what else an operator may have put there is not for clients. */
export async function findFile(path: string): Promise<Stats | null> {
  const stats = await lstat(path).catch(ifMissing(null));
  if (stats === null || stats.isFile()) return stats;
  throw new Refusal("denied", "This is not a plain file");
}

/** Refuses a file that is missing. */
export async function statFile(path: string): Promise<Stats> {
  const stats = await findFile(path);
  if (stats === null) throw missing();
  return stats;
}

export function missing(): Refusal {
  return new Refusal("missing", "There is no such file");
}

/** Plain files alone; none where the folder is missing. */
export async function filesIn(folder: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(ifMissing([]))) {
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

export async function writeAt(handle: FileHandle, data: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < data.length;) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, offset + done);
    done += bytesWritten;
  }
}

/**
 * Makes a change of names in a folder durable. The folder is opened before the change: where the process has no file left,
 * nothing is changed and the caller gets the error.
 */
export async function durably(folder: string, change: () => Promise<unknown>): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY).catch(ifUnsynced);
  try {
    await change();
    await handle?.sync().catch(ifUnsynced);
  } finally {
    await handle?.close();
  }
}

export const syncFolder = (folder: string) => durably(folder, () => Promise.resolve());

/** Where folders cannot be synced, the system does it by itself. */
function ifUnsynced(error: unknown): null {
  if (["EISDIR", "EPERM", "EINVAL", "EACCES"].includes(codeOf(error) ?? "")) return null;
  throw error;
}
