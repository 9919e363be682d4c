/** What the requests of one SFTP channel work with, and what they answer. Types and constants alone. */
import type { SFTPWrapper } from "ssh2";
import type { Trouble } from "../contract.ts";
import { ssh2 } from "../ssh2.ts";
import type { Handles } from "./handles.ts";
import type { Tree } from "./tree.ts";

const { STATUS_CODE } = ssh2.utils.sftp;

export interface Channel {
  readonly tree: Tree;
  /** The drop folder, as the customer sees it. */
  readonly folder: () => string;
  readonly handles: Handles;
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
