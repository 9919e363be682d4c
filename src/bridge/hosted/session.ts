/**
 * One SFTP channel: the requests of version 3 of the protocol (draft-ietf-secsh-filexfer-02), answered from a tree.
 *
 * What it does not know (links, and every extension but one) is refused as unsupported. Times and modes that
 * clients set are accepted and mean nothing: who drops a file does not say when it came.
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Attributes, FileEntry as ListedFile, SFTPWrapper } from "ssh2";
import type { Trouble } from "../contract.ts";
import { ssh2 } from "../ssh2.ts";
import { announceLimits, LIMITS, tellLimits } from "./announce.ts";
import type { Flow } from "./flow.ts";
import { holdBack } from "./incoming.ts";
import { sendsNow } from "./inside.ts";
import type { HostedLimits } from "./limits.ts";
import type { Outgoing } from "./outgoing.ts";
import { Refusal, refusalOf, type RefusalStatus } from "./refusal.ts";
import { createRequests } from "./requests.ts";
import { type FileEntry, readAt } from "./files.ts";
import {
  listFiles,
  openToRead,
  type Reading,
  removeFile,
  renameFile,
  statEntry,
  type Tree,
  type Writing,
} from "./tree.ts";
import { foldersIn, lookUp, MAX_PATH, normalize, type Spot } from "./view.ts";
import { createWrites } from "./writes.ts";
import { closeWriting, openToWrite, truncate, write as writeTo } from "./writing.ts";

const { OPEN_MODE, STATUS_CODE } = ssh2.utils.sftp;
const STATUS: Record<RefusalStatus, number> = {
  missing: STATUS_CODE.NO_SUCH_FILE,
  denied: STATUS_CODE.PERMISSION_DENIED,
  failed: STATUS_CODE.FAILURE,
  unsupported: STATUS_CODE.OP_UNSUPPORTED,
};
const MOST_READ = 64 * 1024;
/** The most that the library takes as one packet, and what of it is left for data. */
const MOST_PACKET = 256 * 1024, MOST_WRITE = 255 * 1024;
const NAMES_AT_ONCE = 100;

type Open =
  | { readonly is: "read"; readonly file: Reading }
  | { readonly is: "write"; readonly file: Writing; readonly append: boolean }
  | { readonly is: "folder"; readonly entries: readonly Entry[]; at: number };

/** A name in a folder; a file's is written out for the client only when it is sent. */
type Entry = { readonly folder: string } | FileEntry;

/** What several sessions have open together, and bytes that wait for clients to make room for answers. */
export interface Holds {
  handles: number;
  names: number;
  stuckBytes: number;
}

export function noHolds(): Holds {
  return { handles: 0, names: 0, stuckBytes: 0 };
}

export interface SessionOptions {
  readonly sftp: SFTPWrapper;
  /** All sessions of the same log-in, and all of the server. */
  readonly holds: Holds;
  readonly holdsInAll: Holds;
  readonly socket: Socket;
  readonly flow: Flow;
  readonly outgoing: Outgoing;
  readonly tree: Tree;
  /** Where files are dropped, as the customer sees it. */
  readonly folder: () => string;
  readonly limits: HostedLimits;
  /** See HostedOptions. */
  readonly passed: (bytes: number) => void;
  /** Something was asked for: the client is not idle. */
  readonly busy: () => void;
  /** An admin should hear of it. Null: a file was uploaded, so what was said of uploads is over. */
  readonly tell: (trouble: Trouble | null) => void;
  /** Something went wrong that nobody foresaw. */
  readonly unforeseen: (error: unknown) => void;
  /** The client is to be sent away. */
  readonly giveUp: () => void;
}

/** Serves until the channel ends; resolves when all that was asked for is done and every file is closed. */
export function serveSession(options: SessionOptions): Promise<void> {
  const { sftp, holds, holdsInAll, tree, folder, limits, busy, tell, unforeseen } = options;
  const opened = new Map<string, Open>();
  let lastHandle = 0;
  const requests = createRequests({
    ...options,
    sendsNow: () => sendsNow(sftp),
    incoming: () => incoming,
    stuck(bytes) {
      holds.stuckBytes += bytes;
      holdsInAll.stuckBytes += bytes;
      const isTooMuch = holds.stuckBytes > limits.stuckBytesOfLogIn || holdsInAll.stuckBytes > limits.stuckBytesInAll;
      if (bytes > 0 && isTooMuch) options.giveUp();
    },
  });
  const incoming = holdBack(sftp, {
    mostPacket: MOST_PACKET,
    isFull: requests.isFull,
    changed: requests.weigh,
    // It takes no answers either.
    ended: () => sftp.end(),
  });

  function on(event: string, work: (id: number, ...args: never[]) => Promise<void> | void): void {
    sftp.on(
      event as "CLOSE",
      ((id: number, ...args: never[]) => {
        busy();
        requests.add(heldBytes(args), async () => {
          try {
            await work(id, ...args);
          } catch (error) {
            refuse(id, error);
          }
        });
      }) as never,
    );
  }

  function refuse(id: number, error: unknown): void {
    const refusal = refusalOf(error);
    if (refusal.trouble !== null) tell(refusal.trouble);
    else if (!(error instanceof Refusal) && refusal.cause !== undefined) unforeseen(error);
    answer(() => sftp.status(id, STATUS[refusal.status], refusal.message));
  }

  /** Whoever is gone by now takes no answer. */
  function answer(send: () => void): void {
    try {
      send();
    } catch (error) {
      unforeseen(error);
      options.giveUp();
    }
  }

  const ok = (id: number) => answer(() => sftp.status(id, STATUS_CODE.OK));

  function keep(id: number, open: Open): void {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(++lastHandle);
    opened.set(handle.toString("hex"), open);
    holds.handles++;
    holdsInAll.handles++;
    countNames(open, 1);
    answer(() => sftp.handle(id, handle));
  }

  function forget(handle: string, open: Open): void {
    if (!opened.delete(handle)) return;
    holds.handles--;
    holdsInAll.handles--;
    countNames(open, -1);
  }

  function countNames(open: Open, sign: 1 | -1): void {
    if (open.is !== "folder") return;
    holds.names += sign * open.entries.length;
    holdsInAll.names += sign * open.entries.length;
  }

  function find(handle: Buffer): Open {
    const open = opened.get(handle.toString("hex"));
    if (open === undefined) throw new Refusal("failed", "There is no such handle");
    return open;
  }

  function checkHandles(): void {
    if (opened.size >= limits.handles) {
      throw new Refusal("failed", `${limits.handles} files are open, and there may be no more; close some`);
    }
    if (holds.handles >= limits.handlesOfLogIn || holds.names >= limits.namesOfLogIn) {
      throw new Refusal("failed", "All connections of this user have too much open together; close some");
    }
    if (holdsInAll.handles >= limits.handlesInAll || holdsInAll.names >= limits.namesInAll) {
      throw new Refusal("failed", "As many files are open here as may be; try again in a moment");
    }
  }

  /** A file's place, or a refusal that says what is there instead. */
  function fileAt(path: string): Extract<Spot, { is: "file" }> {
    const spot = lookUp(folder(), path);
    if (spot.is === "file") return spot;
    if (spot.is === "folder") throw new Refusal("failed", "This is a folder");
    throw spot.why === null ? new Refusal("missing", "There is no such folder") : new Refusal("denied", spot.why);
  }

  /** A file's place where files may be dropped. */
  function dropAt(path: string): Extract<Spot, { is: "file" }> {
    const spot = lookUp(folder(), path);
    if (spot.is === "file" && spot.shelf === "drops") return spot;
    if (spot.is === "nothing" && spot.why !== null) throw new Refusal("denied", spot.why);
    throw new Refusal("denied", `Files are dropped in ${folder()}, and nowhere else`);
  }

  on("REALPATH", (id, path: string) => {
    if (path.length > MAX_PATH) throw new Refusal("missing", "The path is too long");
    const filename = normalize(path);
    answer(() => sftp.name(id, [{ filename, longname: filename, attrs: folderAttrs() }]));
  });

  async function attrsOf(path: string): Promise<Attributes> {
    const spot = lookUp(folder(), path);
    if (spot.is === "folder") return folderAttrs();
    const { shelf, name } = fileAt(path);
    return fileAttrs(await statEntry(tree, shelf, name));
  }
  const stat = async (id: number, path: string) => {
    const attrs = await attrsOf(path);
    answer(() => sftp.attrs(id, attrs));
  };
  on("STAT", stat);
  on("LSTAT", stat);
  on("FSTAT", async (id, handle: Buffer) => {
    const open = find(handle);
    const attrs = open.is === "folder"
      ? folderAttrs()
      : open.is === "write"
      ? fileAttrs({ bytes: open.file.size, modifiedAt: Date.now() })
      : await open.file.handle.stat().then(({ size, mtimeMs }) => fileAttrs({ bytes: size, modifiedAt: mtimeMs }));
    answer(() => sftp.attrs(id, attrs));
  });

  on("OPENDIR", async (id, path: string) => {
    checkHandles();
    const spot = lookUp(folder(), path);
    if (spot.is === "file") throw new Refusal("failed", "This is a file");
    if (spot.is === "nothing") throw new Refusal("missing", "There is no such folder");
    const folders = [".", "..", ...foldersIn(folder(), spot.path)];
    const files = spot.shelf === null ? [] : await listFiles(tree, spot.shelf);
    // Meanwhile others may have had as much.
    checkHandles();
    // At the root, a file of an operator's that is called like a folder is not to be seen twice.
    const names = new Set(folders);
    const entries = [...folders.map((folder) => ({ folder })), ...files.filter(({ name }) => !names.has(name))];
    keep(id, { is: "folder", entries, at: 0 });
  });
  on("READDIR", (id, handle: Buffer) => {
    const open = find(handle);
    if (open.is !== "folder") throw new Refusal("failed", "This is no folder");
    const some = open.entries.slice(open.at, open.at += NAMES_AT_ONCE).map((entry) =>
      "folder" in entry ? listed(entry.folder, folderAttrs()) : listed(entry.name, fileAttrs(entry))
    );
    answer(() => some.length === 0 ? sftp.status(id, STATUS_CODE.EOF) : sftp.name(id, some));
  });

  on("OPEN", async (id, path: string, flags: number) => {
    checkHandles();
    if ((flags & (OPEN_MODE.WRITE | OPEN_MODE.APPEND | OPEN_MODE.TRUNC)) === 0) {
      const { shelf, name } = fileAt(path);
      return keep(id, { is: "read", file: await openToRead(tree, shelf, name) });
    }
    const { name } = dropAt(path);
    const file = await openToWrite(tree, name, {
      create: (flags & OPEN_MODE.CREAT) !== 0,
      truncate: (flags & OPEN_MODE.TRUNC) !== 0,
      exclusive: (flags & OPEN_MODE.EXCL) !== 0,
    });
    keep(id, { is: "write", file, append: (flags & OPEN_MODE.APPEND) !== 0 });
  });
  on("READ", async (id, handle: Buffer, offset: number, length: number) => {
    const open = find(handle);
    if (open.is === "folder") throw new Refusal("failed", "This is a folder");
    const wanted = Math.min(length, MOST_READ);
    const data = open.is === "read"
      ? await readAt(open.file.handle, offset, wanted)
      : await readAt(open.file.handle, offset, wanted);
    // What is read leaves less behind than what is written.
    options.passed(data.length / 4);
    answer(() =>
      data.length === 0
        ? sftp.status(id, STATUS_CODE.EOF)
        : sftp.data(id, Buffer.from(data.buffer, data.byteOffset, data.length))
    );
  });
  announceLimits(sftp);
  sftp.on("EXTENDED", (id: number, name: string) => {
    busy();
    requests.add(heldBytes([name]), () => {
      const told = { packet: MOST_PACKET, read: MOST_READ, write: MOST_WRITE, handles: limits.handles };
      if (name !== LIMITS || !tellLimits(sftp, id, told)) answer(() => sftp.status(id, STATUS_CODE.OP_UNSUPPORTED));
      return Promise.resolve();
    });
  });

  const writes = createWrites({ requests, write, ok, refuse });
  sftp.on("WRITE", (id, handle, offset, data) => {
    busy();
    writes.add(heldBytes([handle, data]), handle, { id, offset, data });
  });
  async function write(handle: Buffer, offset: number, data: Buffer): Promise<void> {
    const open = find(handle);
    if (open.is !== "write") throw new Refusal("denied", "This handle does not write");
    await writeTo(tree, open.file, open.append ? null : offset, data);
    options.passed(data.length);
  }

  on("CLOSE", async (id, handle: Buffer) => {
    const open = find(handle);
    forget(handle.toString("hex"), open);
    if (open.is === "read") await open.file.close();
    if (open.is === "write") {
      await closeWriting(tree, open.file, true);
      tell(null);
    }
    ok(id);
  });

  on("FSETSTAT", async (id, handle: Buffer, attrs: Attributes) => {
    const open = find(handle);
    if (hasSize(attrs)) {
      if (open.is !== "write") throw new Refusal("denied", "This handle does not write");
      await truncate(tree, open.file, attrs.size);
    }
    ok(id);
  });
  on("SETSTAT", async (id, path: string, attrs: Attributes) => {
    const spot = lookUp(folder(), path);
    if (spot.is === "nothing") fileAt(path);
    if (hasSize(attrs) && (spot.is !== "file" || (await statEntry(tree, spot.shelf, spot.name)).bytes !== attrs.size)) {
      throw new Refusal("unsupported", "A file gets another size by being written, and no other way");
    }
    // A time that is set after the upload may come when the file is taken already: that is no failure.
    ok(id);
  });

  on("RENAME", async (id, from: string, to: string) => {
    const source = fileAt(from);
    await renameFile(tree, source, dropAt(to).name);
    ok(id);
  });
  on("REMOVE", async (id, path: string) => {
    const { shelf, name } = fileAt(path);
    await removeFile(tree, shelf, name);
    ok(id);
  });
  on("MKDIR", (_, path: string) => {
    if (lookUp(folder(), path).is === "folder") throw new Refusal("failed", "This folder is there");
    throw new Refusal("denied", "Folders cannot be made here");
  });
  on("RMDIR", (_, path: string) => {
    if (lookUp(folder(), path).is === "folder") throw new Refusal("denied", "Folders cannot be removed here");
    throw new Refusal("missing", "There is no such folder");
  });

  return new Promise((resolve) => {
    let ending = false;
    const end = async () => {
      if (ending) return;
      ending = true;
      incoming.drop();
      await requests.end();
      for (const [handle, open] of [...opened]) {
        forget(handle, open);
        if (open.is === "folder") continue;
        await (open.is === "read" ? open.file.close() : closeWriting(tree, open.file, false)).catch(unforeseen);
      }
      resolve();
    };
    // Packets that make no sense end the channel.
    sftp.on("error", () => void end());
    sftp.on("end", () => {
      sftp.end();
      void end();
    });
    sftp.on("close", () => void end());
    options.socket.once("close", () => void end());
  });
}

/** What a request holds in memory while it waits. */
function heldBytes(args: readonly { length?: number }[]): number {
  return 256 + args.reduce((sum, each) => sum + (each?.length ?? 0), 0);
}

function hasSize(attrs: Attributes): boolean {
  return typeof attrs.size === "number";
}

function folderAttrs(): Attributes {
  const now = Math.floor(Date.now() / 1000);
  return { mode: 0o40755, uid: 0, gid: 0, size: 0, atime: now, mtime: now };
}

function fileAttrs({ bytes, modifiedAt }: Pick<FileEntry, "bytes" | "modifiedAt">): Attributes {
  const seconds = Math.floor(modifiedAt / 1000);
  return { mode: 0o100644, uid: 0, gid: 0, size: bytes, atime: seconds, mtime: seconds };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** With a line as `ls -l` writes it, which many clients show, and some read. */
function listed(filename: string, attrs: Attributes): ListedFile {
  const isFolder = (attrs.mode & 0o40000) !== 0 && (attrs.mode & 0o100000) === 0;
  const at = new Date(attrs.mtime * 1000);
  const two = (number: number) => String(number).padStart(2, "0");
  const recent = Math.abs(Date.now() - at.getTime()) < 180 * 86_400_000;
  const when = `${MONTHS[at.getUTCMonth()]} ${two(at.getUTCDate())} ` +
    (recent ? `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}` : ` ${at.getUTCFullYear()}`);
  const longname = `${isFolder ? "drwxr-xr-x" : "-rw-r--r--"}    1 muster   muster   ${
    String(attrs.size).padStart(10)
  } ${when} ${filename}`;
  return { filename, longname, attrs };
}
