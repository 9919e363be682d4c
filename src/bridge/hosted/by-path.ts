/** SFTP requests that name a path: what is there, opening it, and changes of names. In goes a path, out comes an answer. */
import type { Attributes } from "ssh2";
import { ssh2 } from "../ssh2.ts";
import { fileAttrs, folderAttrs, hasSize } from "./attributes.ts";
import { type Answer, type Channel, OK, type Open } from "./channel.ts";
import { Refusal } from "./refusal.ts";
import { isInUse, listPlaces } from "./service-folders.ts";
import { listFiles, openToRead, removeFile, renameFile, statEntry } from "./tree.ts";
import { type FileSpot, foldersIn, lookUp, MAX_PATH, normalize } from "./view.ts";
import { openToWrite } from "./writing.ts";

const { OPEN_MODE } = ssh2.utils.sftp;

/** A file's place, or a refusal that names what is there instead. */
function fileAt({ folder }: Channel, path: string): FileSpot {
  const spot = lookUp(folder(), path);
  if (spot.is === "file") return spot;
  if (spot.is === "folder") throw new Refusal("failed", "This is a folder");
  throw spot.why === null ? noFolder() : new Refusal("denied", spot.why);
}

/** A file's place where files may be dropped. */
function dropAt({ folder }: Channel, path: string): FileSpot {
  const spot = lookUp(folder(), path);
  if (spot.is === "file" && spot.shelf === "drops") return spot;
  if (spot.is === "nothing" && spot.why !== null) throw new Refusal("denied", spot.why);
  throw new Refusal("denied", `Files are dropped in ${folder()}, and nowhere else`);
}

const noFolder = () => new Refusal("missing", "There is no such folder");

async function stat(channel: Channel, path: string): Promise<Answer> {
  const { tree, folder } = channel;
  if (lookUp(folder(), path).is === "folder") return (sftp, id) => sftp.attrs(id, folderAttrs());
  const { shelf, name } = fileAt(channel, path);
  const attrs = fileAttrs(await statEntry(tree, shelf, name));
  return (sftp, id) => sftp.attrs(id, attrs);
}

/** By the library's name for the request. */
export const BY_PATH = {
  REALPATH(_: Channel, path: string): Answer {
    if (path.length > MAX_PATH) throw new Refusal("missing", "The path is too long");
    const filename = normalize(path);
    return (sftp, id) => sftp.name(id, [{ filename, longname: filename, attrs: folderAttrs() }]);
  },

  STAT: stat,
  LSTAT: stat,

  async SETSTAT(channel: Channel, path: string, attrs: Attributes): Promise<Answer> {
    const { tree, folder } = channel;
    const spot = lookUp(folder(), path);
    if (spot.is === "nothing") fileAt(channel, path);
    if (hasSize(attrs) && (spot.is !== "file" || (await statEntry(tree, spot.shelf, spot.name)).bytes !== attrs.size)) {
      throw new Refusal("unsupported", "A file gets another size by being written, and no other way");
    }
    // A file whose time is set after the upload may be taken by then, which is not an error.
    return OK;
  },

  async OPENDIR({ handles, tree, folder }: Channel, path: string): Promise<Answer> {
    handles.checkRoom();
    const spot = lookUp(folder(), path);
    if (spot.is === "file") throw new Refusal("failed", "This is a file");
    if (spot.is === "nothing") throw noFolder();
    const folders = [".", "..", ...foldersIn(folder(), spot.path, await listPlaces(tree))];
    const files = spot.shelf === null ? [] : await listFiles(tree, spot.shelf);
    // Other sessions may have opened something during the listing.
    handles.checkRoom();
    // A file at the root that an operator named like one of the folders is not listed twice.
    const names = new Set(folders);
    const entries = [...folders.map((folder) => ({ folder })), ...files.filter(({ name }) => !names.has(name))];
    const handle = handles.add({ is: "folder", entries, at: 0 });
    return (sftp, id) => sftp.handle(id, handle);
  },

  async OPEN(channel: Channel, path: string, flags: number): Promise<Answer> {
    const { handles } = channel;
    handles.checkRoom();
    const isToWrite = (flags & (OPEN_MODE.WRITE | OPEN_MODE.APPEND | OPEN_MODE.TRUNC)) !== 0;
    const handle = handles.add(await (isToWrite ? openWriting(channel, path, flags) : openReading(channel, path)));
    return (sftp, id) => sftp.handle(id, handle);
  },

  async RENAME(channel: Channel, from: string, to: string): Promise<Answer> {
    const source = fileAt(channel, from);
    await renameFile(channel.tree, source, dropAt(channel, to).name);
    return OK;
  },

  async REMOVE(channel: Channel, path: string): Promise<Answer> {
    const { shelf, name } = fileAt(channel, path);
    await removeFile(channel.tree, shelf, name);
    return OK;
  },

  MKDIR({ folder }: Channel, path: string): never {
    if (lookUp(folder(), path).is === "folder") throw new Refusal("failed", "This folder already exists");
    throw new Refusal("denied", "Folders cannot be made here");
  },

  /** One beside the drop folder is not listed without files: with the last of them it is removed already. */
  async RMDIR({ tree, folder }: Channel, path: string): Promise<Answer> {
    const spot = lookUp(folder(), path);
    if (spot.is !== "folder") throw noFolder();
    if (spot.shelf === null || spot.shelf === "drops") throw new Refusal("denied", "This folder cannot be removed");
    if (await isInUse(tree, spot.shelf)) throw new Refusal("failed", "The folder has files; remove them first");
    return OK;
  },
};

async function openReading(channel: Channel, path: string): Promise<Open> {
  const { shelf, name } = fileAt(channel, path);
  return { is: "read", file: await openToRead(channel.tree, shelf, name) };
}

async function openWriting(channel: Channel, path: string, flags: number): Promise<Open> {
  const { name } = dropAt(channel, path);
  const file = await openToWrite(channel.tree, name, {
    create: (flags & OPEN_MODE.CREAT) !== 0,
    truncate: (flags & OPEN_MODE.TRUNC) !== 0,
    exclusive: (flags & OPEN_MODE.EXCL) !== 0,
  });
  return { is: "write", file, append: (flags & OPEN_MODE.APPEND) !== 0 };
}
