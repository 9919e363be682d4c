/**
 * What the parts of the bridge agree on: the hub's side of it as values, and what the hosted server and the poller of
 * remote servers are handed.
 *
 * The bridge's core (bridge.ts) speaks with the hub: it holds connections, hands files over, and says how they fare. The
 * hosted server (hosted/) and the poller (remote/) speak SFTP: they find out when a file is whole, hand it over, and
 * then do with it what the connection says. Types alone; no I/O.
 */

import type * as wire from "../model/bridge-wire.ts";
import type { SftpSettings } from "../model/sftp.ts";

/** In memory alone, and never in a log. */
export interface SftpSecrets {
  readonly password?: string;
  /** OpenSSH or PEM. */
  readonly privateKey?: string;
  readonly passphrase?: string;
}

/** A connection that this bridge holds the lease of. A new value each time that something about it has changed. */
export interface BridgeConnection {
  /** `con_…` */
  readonly id: string;
  /** `org_…` */
  readonly organization: string;
  readonly slug: string;
  readonly name: string;
  readonly mode: "hosted" | "remote";
  /** Files of a paused connection are taken all the same: its runs wait, nothing is lost. */
  readonly paused: boolean;
  /** Moves with settings and secrets. */
  readonly version: number;
  /** When a bridge looked last, as the hub knows; null: none did. What a restart missed of a daily hour is told by it. */
  readonly visitedAt?: number | null;
  readonly settings: SftpSettings;
  readonly secrets: SftpSecrets;
  /** Tells it from another that has got the same id, of a hub that was set up anew; absent: nothing does. */
  readonly owner?: string;
  /** What lets in at the hosted server (LetIn.proof); absent: nobody is sent away for what they have come with. */
  readonly letsIn?: readonly string[];
}

/** A file that is whole, and may be taken. */
export interface WholeFile {
  /** As in SftpSettings. */
  readonly folder: string;
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970; whole seconds where the server knows no more. */
  readonly modifiedAt: number;
  /** Another file that is whole is handed over right behind it: runs of the connection wait for that one. */
  readonly isFollowed?: boolean;
  /** The bytes. Errors when they are no longer those that the file was found with. */
  open(): ReadableStream<Uint8Array>;
}

/** What the hub made of a file. */
export interface HandedOver {
  /** `drp_…` */
  readonly drop: string;
  /** `run_…` */
  readonly run: string;
  /** Taken before, and only not put away then; nothing was handed over now. */
  readonly repeated: boolean;
  /**
   * It held somebody who was erased since, so the hub has nothing of it: a hosted tree deletes it. The customer is told.
   */
  readonly isOfErased?: boolean;
  /** What it is called in `.bak` (places.ts): its time and its name. The same however often it is handed over. */
  readonly keptAs: string;
  /**
   * Says that the file has been put away: moved, deleted, or left on purpose. Until then the same name, size, time and
   * digest is the same file. Safe to repeat; without it nothing is lost, see `BridgeHub.saw`.
   */
  settle(): Promise<void>;
}

/** What an SFTP folder holds, for `BridgeHub.saw`. Folders and links are not among them. */
export interface SeenFile {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: number;
  /** Only a hosted server knows: its client has not closed it, or no pattern of the connection fits its name. */
  readonly left?: "unfinished" | "unmatched";
}

/** Why a connection cannot be served now. Messages are for admins: what is wrong and what to do, and no secret. */
export type Trouble = wire.Trouble;

/** Said by the bridge that is refused, and by the hub, which cannot store what a bridge says then. */
export const HUB_FULL: Trouble = {
  code: "hub_full",
  message: "The hub's disk is full: files wait where they are, and are taken once its operator has made room",
};

/** How long a bridge keeps what it put into `.bak`, `reports` and `failed`. */
export const KEPT_COPIES_MS = 30 * 86_400_000;

/** What the core offers the hosted server and the poller. */
export interface BridgeHub {
  /** Connections held now, those with secrets that could not be had left out. Changes from one call to the next. */
  connections(): readonly BridgeConnection[];
  /**
   * Hands the file over; resolves when it is sealed and durable on the hub. Rejects when it could not be, and then the
   * hub has nothing of it: to be tried again later. Safe to repeat. One file of a connection at a time, oldest first.
   * The error has a property `trouble` (Trouble), to be said with `fares`; with the code `too_large` that file alone is
   * refused, and others behind it may be taken.
   */
  handOver(connection: BridgeConnection, file: WholeFile, signal: AbortSignal): Promise<HandedOver>;
  /**
   * All files in the connection's folder as just listed, before any of them is handed over: what was taken and is gone
   * is settled, what is no file to be taken (dot-files, temporary names, empty ones) and lies for an hour is said.
   * To be called at each visit, and about once a minute for each hosted tree.
   */
  saw(connection: BridgeConnection, files: readonly SeenFile[]): Promise<void>;
  /** With `after: leave`: whether this very file was taken before. By name, size and time; the digest decides after. */
  wasTaken(connection: BridgeConnection, file: SeenFile): Promise<boolean>;
  /** How the latest visit, or the latest hand-over, went; null: well. Shown where an admin looks. */
  fares(connection: BridgeConnection, trouble: Trouble | null): void;
}

/** The result of a check of a remote server that an admin asked for. A check writes nothing there. */
export type CheckResult = wire.CheckResult;

/**
 * What hosted trees (own disk) and remote servers (SFTP) both offer, for reports that come back, for files that go to
 * `failed/` and for what is kept no longer. Paths as the customer sees them, with a slash in front. Every call may throw.
 */
export interface Transport {
  /** Files of a folder; empty when there is no such folder. */
  list(folder: string): Promise<readonly SeenFile[]>;
  /** The file is there as a whole, or not at all, in place of one of that name; its folder is made if missing. */
  write(path: string, content: ReadableStream<Uint8Array>): Promise<void>;
  /** Into a folder that is made if missing. Rejects with a code "ENOENT" when there is no such file. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  close(): Promise<void>;
}

/** Opens what the connection's files lie on; for a remote server that is a visit of its own. */
export type OpenTransport = (connection: BridgeConnection, signal: AbortSignal) => Promise<Transport>;

/** What became of a tree that is to be rid of what may hold people who were erased. */
export interface ErasedTree {
  /** False: something is being written just now; to be tried again. */
  readonly isDone: boolean;
  /** Files that wait to be taken, and stay. */
  readonly waiting: number;
}

/** The tree of a connection that is gone: nobody gets at it, and it is removed 30 days later. */
export interface SetAside {
  /** `con_…` */
  readonly connection: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Files in it that were dropped and not handed over. */
  readonly files: number;
}

/** A log-in at the hosted server, asked of the hub (`POST /v1/bridge/logins`). */
export interface LogInAttempt {
  readonly username: string;
  /** Either of both: a password, or a public key as `ssh-ed25519 AAAA…` whose signature the server has verified. */
  readonly password?: string;
  readonly publicKey?: string;
  /** Network address of the client. */
  readonly address: string;
}

/** Who was let in, to a connection that this bridge holds. */
export interface LetIn {
  /** `con_…` */
  readonly connection: string;
  /** What let them in: they are sent away once the connection's `letsIn` does not name it any more. */
  readonly proof: string;
}

/** Null: refused. Rejects when the hub cannot be asked. */
export type LogIn = (attempt: LogInAttempt) => Promise<LetIn | null>;

/** One structured line; never a person's data (names of files may be such), never a secret. */
export type Log = (event: string, details?: Record<string, string | number | boolean | null>) => void;

/** hosted/server.ts exports `createHostedServer(options: HostedOptions): Promise<HostedServer>`. */
export interface HostedOptions {
  /** MUSTER_SFTP_DIR; the trees are folders in it, by connection id. The host key is kept in it too, made if missing. */
  readonly dir: string;
  readonly host: string;
  readonly port: number;
  readonly logIn: LogIn;
  readonly hub: BridgeHub;
  readonly log: Log;
  /** Hears of bytes that came in, so that whoever knows the runtime can give their memory back in time. */
  readonly passed?: (bytes: number) => void;
  readonly now: () => number;
}

export interface HostedServer {
  readonly port: number;
  /** `SHA256:…` of its host key. */
  readonly fingerprint: string;
  readonly openTransport: OpenTransport;
  /** Says that the connections have changed; to be called by the core. */
  changed(): void;
  /**
   * Sets aside the trees of connections that are gone, as `findGone` finds of those that are not held, and removes what
   * was set aside 30 days ago. Gives what is aside now.
   */
  tend(findGone: (connections: readonly string[]) => Promise<readonly string[]>): Promise<readonly SetAside[]>;
  /**
   * Deletes copies, reports, failed files and files that are never taken, in all trees of that connection of that
   * organization, held or not, set aside or not.
   */
  erase(connection: string, organization: string, askedAt: number): Promise<ErasedTree>;
  close(): Promise<void>;
}

/** A TCP connection past the outbound gate; runtime/dial.ts makes it. Rejects with OutboundRefused. */
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
  /** Says that the connections have changed; to be called by the core. */
  changed(): void;
  close(): Promise<void>;
}
