/** How files and folders look to SFTP clients: their attributes, and lines of a listing. Pure but for the current time. */
import type { Attributes, FileEntry as ListedFile } from "ssh2";
import type { FileEntry } from "./files.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** `ls` shows the time of files that changed within half a year, and the year of others. */
const RECENT_MS = 180 * 86_400_000;

export function folderAttrs(): Attributes {
  const now = Math.floor(Date.now() / 1000);
  return { mode: 0o40755, uid: 0, gid: 0, size: 0, atime: now, mtime: now };
}

export function fileAttrs({ bytes, modifiedAt }: Pick<FileEntry, "bytes" | "modifiedAt">): Attributes {
  const seconds = Math.floor(modifiedAt / 1000);
  return { mode: 0o100644, uid: 0, gid: 0, size: bytes, atime: seconds, mtime: seconds };
}

export function hasSize(attrs: Attributes): boolean {
  return typeof attrs.size === "number";
}

/** With a line in the format of `ls -l`, which many clients show and some parse. */
export function listed(filename: string, attrs: Attributes): ListedFile {
  const isFolder = (attrs.mode & 0o40000) !== 0 && (attrs.mode & 0o100000) === 0;
  const at = new Date(attrs.mtime * 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  const isRecent = Math.abs(Date.now() - at.getTime()) < RECENT_MS;
  const when = `${MONTHS[at.getUTCMonth()]} ${two(at.getUTCDate())} ` +
    (isRecent ? `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}` : ` ${at.getUTCFullYear()}`);
  const size = String(attrs.size).padStart(10);
  const longname = `${isFolder ? "drwxr-xr-x" : "-rw-r--r--"}    1 muster   muster   ${size} ${when} ${filename}`;
  return { filename, longname, attrs };
}
