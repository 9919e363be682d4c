/**
 * The interfaces between the parts of the bridge. Types alone; no I/O.
 *
 * The bridge's core (bridge.ts) speaks with the hub: it holds connections, hands files over, and reports their health. The
 * hosted server (hosted/) and the poller (remote/) speak SFTP: they find out when a file is whole, hand it over, and put it
 * away as the connection's settings ask.
 */

import type * as wire from "../model/bridge-wire.ts";
import type { SftpSettings } from "../model/sftp.ts";

/** Only ever in memory, and never in a log. */
export interface SftpSecrets {
  readonly password?: string;
  /** OpenSSH or PEM. */
  readonly privateKey?: string;
  readonly passphrase?: string;
}

/** A connection whose lease this bridge holds. Any change of it makes a new value. */
export interface BridgeConnection {
  /** `con_…` */
  readonly id: string;
  /** `org_…` */
  readonly organization: string;
  readonly slug: string;
  readonly name: string;
  readonly mode: "hosted" | "remote";
  /** Files of a paused connection are still taken; its runs wait. */
  readonly paused: boolean;
  /** Changes with settings and secrets. */
  readonly version: number;
  /** When a bridge last looked, as the hub knows; null: never. It shows whether a daily visit was missed in a restart. */
  readonly visitedAt?: number | null;
  readonly settings: SftpSettings;
  readonly secrets: SftpSecrets;
  /** Differs from that of another connection with the same id, of a hub that was set up anew; absent: unknown. */
  readonly owner?: string;
  /** Valid proofs of log-ins at the hosted server (LetIn.proof); absent: clients are not disconnected for theirs. */
  readonly letsIn?: readonly string[];
}

/** A file that is whole and may be taken. */
export interface WholeFile {
  /** As in SftpSettings. */
  readonly folder: string;
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970, in whole seconds where the server has no finer times. */
  readonly modifiedAt: number;
  /** Another whole file is handed over right behind it, and the connection's runs wait for that one. */
  readonly isFollowed?: boolean;
  /** The bytes. Errors when the file has changed since it was found. */
  open(): ReadableStream<Uint8Array>;
}

/** What the hub made of a file. */
export interface HandedOver {
  /** `drp_…` */
  readonly drop: string;
  /** `run_…` */
  readonly run: string;
  /** It was taken before, but not put away then; nothing was handed over now. */
  readonly repeated: boolean;
  /** It held a person who was erased since, so the hub refused it: a hosted tree deletes it, with a note to the customer. */
  readonly isOfErased?: boolean;
  /** Its name in `.bak` (places.ts): time and name. The same however often it is handed over. */
  readonly keptAs: string;
  /**
   * Reports that the file has been put away: moved, deleted, or left on purpose. Until then, a file of the same name, size,
   * time and digest is the same file. Safe to repeat; if it is never called, nothing is lost (see `BridgeHub.reportListing`).
   */
  settle(): Promise<void>;
}

/** A file in an SFTP folder, for `BridgeHub.reportListing`. Folders and links are left out. */
export interface SeenFile {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: number;
  /**
   * Why it is not taken as it is. Known to a hosted server alone: its client has not closed it, or its name matches no
   * pattern of the connection. Known once it was looked at: it is over a limit, or not what its `.sha256` file says.
   */
  readonly left?: "unfinished" | "unmatched" | "too_large" | "wrong_digest";
}

/** Why a connection cannot be served now. Messages are for admins: what is wrong and what to do, and no secret. */
export type Trouble = wire.Trouble;

/** Reported by the bridge, and by the hub itself: with a full disk it cannot store what a bridge reports. */
export const HUB_FULL: Trouble = {
  code: "hub_full",
  message: "The hub's disk is full: files wait where they are, and are taken once its operator has made room",
};

/** After how long a bridge removes what it put into `.bak`, `reports` and `failed`. */
export const KEPT_COPIES_MS = 30 * 86_400_000;

/** What the core offers the hosted server and the poller. */
export interface BridgeHub {
  /** Connections held now, except those whose secrets the hub refuses. May differ from call to call. */
  connections(): readonly BridgeConnection[];
  /**
   * Hands the file over; resolves when it is sealed and durable on the hub. If it rejects, the hub has nothing of the file,
   * and it is to be tried again later. Safe to repeat. One file of a connection at a time, oldest first.
   * The error has a property `trouble` (Trouble), to be reported with `reportHealth`. With the code `too_large`, that file
   * alone is refused, and others behind it may be taken.
   */
  handOver(connection: BridgeConnection, file: WholeFile, signal: AbortSignal): Promise<HandedOver>;
  /**
   * Reports all files in the connection's folder, before any of them is handed over: taken files that are gone are
   * settled, and leftovers (leftovers.ts) are noticed. To be called at each visit, and about once a minute for each
   * hosted tree.
   */
  reportListing(connection: BridgeConnection, files: readonly SeenFile[]): Promise<void>;
  /** With `after: leave`: whether this file was taken before, by name, size and time. The digest decides later. */
  isAlreadyTaken(connection: BridgeConnection, file: SeenFile): Promise<boolean>;
  /** Reports how the last visit, or the last file handed over, went. Null: well. Shown to admins. */
  reportHealth(connection: BridgeConnection, trouble: Trouble | null): void;
}

/** The result of a check of a remote server that an admin asked for. A check writes nothing there. */
export type CheckResult = wire.CheckResult;

/**
 * What the core does with files of hosted trees (own disk) and remote servers (SFTP) alike: writes reports, moves files to
 * `failed`, removes old ones. Paths are as the customer sees them, with a leading slash. Every call may reject.
 */
export interface Transport {
  /** Files of a folder; empty when there is no such folder. */
  list(folder: string): Promise<readonly SeenFile[]>;
  /** Writes the file as a whole or not at all, in place of one of that name. Makes a missing folder. */
  write(path: string, content: ReadableStream<Uint8Array>): Promise<void>;
  /** Makes a missing folder. Rejects with the code "ENOENT" when there is no such file. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens the tree or the remote server of a connection; the latter is a visit of its own. */
export type OpenTransport = (connection: BridgeConnection, signal: AbortSignal) => Promise<Transport>;

/** The outcome of removing from a tree what may hold people who were erased. */
export interface ErasedTree {
  /** False: a file is being written now; to be tried again. */
  readonly isDone: boolean;
  /** Files that wait to be taken, and stay. */
  readonly waiting: number;
}

/** The tree of a deleted connection: no client reaches it, and it is removed 30 days later. */
export interface SetAside {
  /** `con_…` */
  readonly connection: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Files in it that were dropped and not handed over. */
  readonly files: number;
}

/** A log-in at the hosted server, which the hub checks (`POST /v1/bridge/logins`). */
export interface LogInAttempt {
  readonly username: string;
  /** Either of both: a password, or a public key as `ssh-ed25519 AAAA…` whose signature the server has verified. */
  readonly password?: string;
  readonly publicKey?: string;
  /** Network address of the client. */
  readonly address: string;
}

/** A successful log-in to a connection that this bridge holds. */
export interface LetIn {
  /** `con_…` */
  readonly connection: string;
  /** What the client logged in with: it is disconnected once the connection's `letsIn` does not contain this any more. */
  readonly proof: string;
}

/** Null: refused. Rejects when the hub cannot be reached. */
export type LogIn = (attempt: LogInAttempt) => Promise<LetIn | null>;

/** Logs one structured line: never a person's data, which file names may contain, and never a secret. */
export type Log = (event: string, details?: Record<string, string | number | boolean | null>) => void;

/** hosted/server.ts exports `createHostedServer(options: HostedOptions): Promise<HostedServer>`. */
export interface HostedOptions {
  /** MUSTER_SFTP_DIR: the trees are folders in it, by connection id. The host key is in it too, and made if missing. */
  readonly dir: string;
  readonly host: string;
  readonly port: number;
  readonly logIn: LogIn;
  readonly hub: BridgeHub;
  readonly log: Log;
  /** Called with the number of bytes that came in, so that the runtime's code can free their memory in time. */
  readonly passed?: (bytes: number) => void;
  readonly now: () => number;
}

export interface HostedServer {
  readonly port: number;
  /** `SHA256:…` of its host key. */
  readonly fingerprint: string;
  readonly openTransport: OpenTransport;
  /** To be called by the core when the connections have changed. */
  changed(): void;
  /**
   * Sets aside the trees of deleted connections, which `findGone` picks from those that are not held, and removes what was
   * set aside 30 days ago. Resolves with what is aside now.
   */
  tend(findGone: (connections: readonly string[]) => Promise<readonly string[]>): Promise<readonly SetAside[]>;
  /**
   * Deletes copies, reports, failed files and files that are never taken from all trees of that connection of that
   * organization, whether held or not, set aside or not.
   */
  erase(connection: string, organization: string, askedAt: number): Promise<ErasedTree>;
  close(): Promise<void>;
}

/** Opens a TCP connection through the outbound gate (runtime/dial.ts). Rejects with OutboundRefused. */
export type Dial = (
  host: string,
  port: number,
  signal: AbortSignal,
) => Promise<import("node:net").Socket>;

/** remote/poller.ts exports `createPoller(options: PollerOptions): Poller`. */
export interface PollerOptions {
  readonly hub: BridgeHub;
  readonly dial: Dial;
  readonly log: Log;
  readonly now: () => number;
}

export interface Poller {
  readonly openTransport: OpenTransport;
  check(connection: BridgeConnection, signal: AbortSignal): Promise<CheckResult>;
  /** To be called by the core when the connections have changed. */
  changed(): void;
  close(): Promise<void>;
}
