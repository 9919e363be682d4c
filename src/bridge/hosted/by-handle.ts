/** SFTP requests that name a handle: reading, writing and closing what is open. In goes a handle, out comes an answer. */
import { Buffer } from "node:buffer";
import type { Attributes } from "ssh2";
import { fileAttrs, folderAttrs, hasSize, listed } from "./attributes.ts";
import { type Answer, type Channel, END_OF_FILE, MOST_READ, OK, type Open } from "./channel.ts";
import { readAt } from "./files.ts";
import { Refusal } from "./refusal.ts";
import { closeWriting, truncate, write } from "./writing.ts";

const NAMES_AT_ONCE = 100;

/** By the library's name for the request. `WRITE` is not among them: writes are joined (writes.ts). */
export const BY_HANDLE = {
  async FSTAT({ handles }: Channel, handle: Buffer): Promise<Answer> {
    const attrs = await attrsOf(handles.get(handle));
    return (sftp, id) => sftp.attrs(id, attrs);
  },

  READDIR({ handles }: Channel, handle: Buffer): Answer {
    const open = handles.get(handle);
    if (open.is !== "folder") throw new Refusal("failed", "This is not a folder");
    const some = open.entries.slice(open.at, open.at += NAMES_AT_ONCE).map((entry) =>
      "folder" in entry ? listed(entry.folder, folderAttrs()) : listed(entry.name, fileAttrs(entry))
    );
    return some.length === 0 ? END_OF_FILE : (sftp, id) => sftp.name(id, some);
  },

  async READ({ handles, passed }: Channel, handle: Buffer, offset: number, length: number): Promise<Answer> {
    const open = handles.get(handle);
    if (open.is === "folder") throw new Refusal("failed", "This is a folder");
    const data = await readAt(open.file.handle, offset, Math.min(length, MOST_READ));
    // Reading leaves less garbage behind than writing.
    passed(data.length / 4);
    if (data.length === 0) return END_OF_FILE;
    return (sftp, id) => sftp.data(id, Buffer.from(data.buffer, data.byteOffset, data.length));
  },

  async CLOSE({ handles, tree, reportTrouble }: Channel, handle: Buffer): Promise<Answer> {
    const open = handles.remove(handle);
    if (open.is === "read") await open.file.close();
    if (open.is === "write") {
      await closeWriting(tree, open.file, true);
      reportTrouble(null);
    }
    return OK;
  },

  async FSETSTAT({ handles, tree }: Channel, handle: Buffer, attrs: Attributes): Promise<Answer> {
    const open = handles.get(handle);
    if (hasSize(attrs)) await truncate(tree, writingIn(open).file, attrs.size);
    return OK;
  },
};

export async function writeTo(
  { handles, tree, passed }: Channel,
  handle: Buffer,
  offset: number,
  data: Buffer,
): Promise<void> {
  const { file, append } = writingIn(handles.get(handle));
  await write(tree, file, append ? null : offset, data);
  passed(data.length);
}

function writingIn(open: Open): Extract<Open, { is: "write" }> {
  if (open.is !== "write") throw new Refusal("denied", "This handle does not write");
  return open;
}

async function attrsOf(open: Open): Promise<Attributes> {
  if (open.is === "folder") return folderAttrs();
  if (open.is === "write") return fileAttrs({ bytes: open.file.size, modifiedAt: Date.now() });
  const { size, mtimeMs } = await open.file.handle.stat();
  return fileAttrs({ bytes: size, modifiedAt: mtimeMs });
}
