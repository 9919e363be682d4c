/**
 * What the requests of one SFTP channel work with: its tree, and what its client has open, by handle and bounded in number;
 * and what they answer. No I/O.
 */
import { Buffer } from "node:buffer";
import type { SFTPWrapper } from "ssh2";
import type { Trouble } from "../contract.ts";
import { ssh2 } from "../ssh2.ts";
import type { FileEntry } from "./files.ts";
import type { HostedLimits } from "./limits.ts";
import { Refusal } from "./refusal.ts";
import type { Reading, Tree, Writing } from "./tree.ts";

const { STATUS_CODE } = ssh2.utils.sftp;

export interface Channel {
  readonly tree: Tree;
  /** The drop folder, as the customer sees it. */
  readonly folder: () => string;
  readonly handles: ReturnType<typeof createHandles>;
  /** See HostedOptions. */
  readonly passed: (bytes: number) => void;
  /** Reports trouble with uploads to the admin. Null: a file was uploaded, so the trouble is over. */
  readonly reportTrouble: (trouble: Trouble | null) => void;
}

/** Sends the answer to the request of that id. */
export type Answer = (sftp: SFTPWrapper, id: number) => void;

export const OK: Answer = (sftp, id) => void sftp.status(id, STATUS_CODE.OK);
export const END_OF_FILE: Answer = (sftp, id) => void sftp.status(id, STATUS_CODE.EOF);

/** The most bytes that a client gets with one request. */
export const MOST_READ = 64 * 1024;

export type Open =
  | { readonly is: "read"; readonly file: Reading }
  | { readonly is: "write"; readonly file: Writing; readonly append: boolean }
  | { readonly is: "folder"; readonly entries: readonly Entry[]; at: number };

/** A name in a folder. A file's line in the listing is made only when it is sent. */
export type Entry = { readonly folder: string } | FileEntry;

/** What several sessions hold together: open handles, names in open folders, and bytes that wait for slow clients. */
export type Holds = ReturnType<typeof noHolds>;

export function noHolds() {
  return { handles: 0, names: 0, stuckBytes: 0 };
}

export function createHandles(
  limits: Pick<HostedLimits, "handles" | "handlesOfLogIn" | "handlesInAll" | "namesOfLogIn" | "namesInAll">,
  ofLogIn: Holds,
  inAll: Holds,
) {
  const opened = new Map<string, Open>();
  let lastHandle = 0;

  function count(open: Open, sign: 1 | -1): void {
    for (const holds of [ofLogIn, inAll]) {
      holds.handles += sign;
      if (open.is === "folder") holds.names += sign * open.entries.length;
    }
  }

  /** Refuses a handle that is not open. */
  function get(handle: Buffer): Open {
    const open = opened.get(handle.toString("hex"));
    if (open === undefined) throw new Refusal("failed", "There is no such handle");
    return open;
  }

  return {
    /** Refuses one more handle when there may be none. */
    checkRoom(): void {
      if (opened.size >= limits.handles) {
        throw new Refusal("failed", `${limits.handles} files are open, and there may be no more; close some`);
      }
      if (ofLogIn.handles >= limits.handlesOfLogIn || ofLogIn.names >= limits.namesOfLogIn) {
        throw new Refusal("failed", "All connections of this user have too much open together; close some");
      }
      if (inAll.handles >= limits.handlesInAll || inAll.names >= limits.namesInAll) {
        throw new Refusal("failed", "As many files are open here as may be; try again in a moment");
      }
    },
    add(open: Open): Buffer {
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(++lastHandle);
      opened.set(handle.toString("hex"), open);
      count(open, 1);
      return handle;
    },
    get,
    /** Like `get`; the handle is not open any more afterwards. */
    remove(handle: Buffer): Open {
      const open = get(handle);
      opened.delete(handle.toString("hex"));
      count(open, -1);
      return open;
    },
    /** All that are open, each removed as it is yielded. */
    *drain(): Iterable<Open> {
      for (const [key, open] of [...opened]) {
        opened.delete(key);
        count(open, -1);
        yield open;
      }
    },
  };
}
