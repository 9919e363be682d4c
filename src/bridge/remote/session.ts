/**
 * A visit's SFTP session: requests to a remote server as promises, each of which is answered in time or fails.
 *
 * Failures are a ConnectionError, or a Refused where the server answers with an error. A request that is not answered ends the
 * session, and all its other requests. What a server sends is bounded: names, sizes, texts.
 */
import type { Attributes, Client, SFTPWrapper } from "ssh2";
import { BYTES_OF_KEYS } from "../algorithms.ts";
import type { BridgeConnection, Trouble } from "../contract.ts";
import { ConnectionError } from "../trouble.ts";
import type { Limits } from "./limits.ts";
import { collectFiles, kindOf, type Listed, type ListOptions, type Page } from "./listing.ts";
import { type LoggedIn, logIn, lost, type Target, textOf, timedOut, tooMuch } from "./log-in.ts";

/** An error that the server answered, by its code (draft-ietf-secsh-filexfer-02, 7). */
export class Refused extends Error {
  /** What callers of a Transport look for. */
  readonly code: "ENOENT" | "EACCES" | "EIO";
  readonly trouble: Trouble;
  constructor(message: string, code: "ENOENT" | "EACCES" | "EIO") {
    super(message);
    this.name = "Refused";
    this.code = code;
    this.trouble = { code: "not_permitted", message: `The server refuses: ${message}` };
  }
}

export interface Found {
  readonly bytes: number;
  readonly modifiedAt: number;
  readonly isFolder: boolean;
}

export interface Session {
  readonly connection: BridgeConnection;
  readonly limits: Limits;
  /** `SHA256:…` */
  readonly hostKey: string;
  /** Files alone: folders and links are left out. Fails with Refused when there is no such folder. */
  list(folder: string, isWanted: ListOptions["isWanted"], keep?: ListOptions["keep"]): Promise<Listed>;
  /** Null: there is nothing at this path. */
  find(path: string): Promise<Found | null>;
  open(path: string, mode: "r" | "w"): Promise<Handle>;
  makeFolder(path: string): Promise<void>;
  /** Some servers fail where something of the new name exists, others replace it. */
  rename(from: string, to: string): Promise<void>;
  /** Replaces what exists; fails on servers that cannot. */
  replace(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** The folder in which the log-in begins. */
  whereAmI(): Promise<string>;
  close(): void;
}

export interface Handle {
  /** Fewer bytes than asked for when the server gives fewer; none at the end. */
  read(position: number, length: number): Promise<Uint8Array>;
  write(position: number, bytes: Uint8Array): Promise<void>;
  find(): Promise<Found>;
  close(): Promise<void>;
}

/** Why a session ended that did what it was opened for. */
const OVER = new ConnectionError("failed", "The visit is over");
const HANG_UP_MS = 1000;

type Answer<T> = (error: Error | null | undefined, value: T) => void;

/** Fails with ConnectionError, and then nothing is left open. */
export async function openSession(target: Target): Promise<Session> {
  const { connection, limits } = target;
  const loggedIn = await logIn(target);
  const line = createLine(loggedIn, target);
  const { ask, end } = line;
  const sftp = await openSftp(line, loggedIn.client, connection);
  const done = (request: (answer: Answer<void>) => void) => ask<void>(request);
  const closeHandle = (handle: Buffer) => done((answer) => sftp.close(handle, answer as never));
  return {
    connection,
    limits,
    hostKey: loggedIn.hostKey,
    async list(folder, isWanted, keep = "oldest") {
      const handle = await ask<Buffer>((answer) => sftp.opendir(folder, answer));
      const nextPage = () =>
        ask<Page>((answer) => sftp.readdir(handle as never, answer as never)).catch(atEnd<null>(null));
      try {
        return await collectFiles(nextPage, { folder, isWanted, keep }, limits);
      } finally {
        if (!line.hasEnded()) await closeHandle(handle).catch(() => {});
      }
    },
    async find(path) {
      try {
        return foundIn(await ask<Attributes>((answer) => sftp.lstat(path, answer as never)));
      } catch (error) {
        if (error instanceof Refused && error.code === "ENOENT") return null;
        throw error;
      }
    },
    async open(path, mode) {
      const handle = await ask<Buffer>((answer) => sftp.open(path, mode, answer));
      return {
        async read(position, length) {
          const into = Buffer.allocUnsafe(length);
          const got = await ask<number>((answer) => sftp.read(handle, into, 0, length, position, answer))
            .catch(atEnd(0));
          return into.subarray(0, got);
        },
        write(position, bytes) {
          const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          return done((answer) => sftp.write(handle, from, 0, from.length, position, answer as never));
        },
        find: async () => foundIn(await ask<Attributes>((answer) => sftp.fstat(handle, answer))),
        close: () => closeHandle(handle),
      };
    },
    makeFolder: (path) => done((answer) => sftp.mkdir(path, answer as never)),
    rename: (from, to) => done((answer) => sftp.rename(from, to, answer as never)),
    replace: (from, to) => done((answer) => sftp.ext_openssh_rename(from, to, answer as never)),
    remove: (path) => done((answer) => sftp.unlink(path, answer as never)),
    whereAmI: () => ask<string>((answer) => sftp.realpath(".", answer as never)),
    close: () => end(OVER),
  };
}

/** Requests over one connection, until it ends. */
type Line = ReturnType<typeof createLine>;

function createLine({ client, socket }: LoggedIn, { connection, limits, signal }: Target) {
  const waiting = new Set<(reason: unknown) => void>();
  let ended: { reason: unknown } | null = null, requests = 0, bytes = 0, rekeys = 0;

  function end(reason: unknown): void {
    if (ended !== null) return;
    ended = { reason };
    signal.removeEventListener("abort", abort);
    for (const fail of waiting) fail(reason);
    // A session that is over ends politely, unless the server does not hang up.
    if (reason !== OVER) return void client.destroy();
    const timer = setTimeout(() => client.destroy(), HANG_UP_MS);
    client.once("close", () => clearTimeout(timer));
    client.end();
  }

  const abort = () => end(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  client.on("error", (error) => end(lost(connection, error)));
  client.on("close", () => end(lost(connection)));
  socket.on("data", (data: Uint8Array) => {
    bytes += data.length;
    if (bytes > limits.unaskedBytes + requests * limits.answerBytes) end(tooMuch(connection));
  });
  client.on("handshake", () => {
    if (++rekeys > limits.rekeys + bytes / BYTES_OF_KEYS) end(tooMuch(connection));
  });

  function ask<T>(request: (answer: Answer<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (ended !== null) return reject(ended.reason);
      requests++;
      const timer = setTimeout(() => end(timedOut(connection, limits.answerMs)), limits.answerMs);
      const settle = () => {
        clearTimeout(timer);
        waiting.delete(fail);
      };
      const fail = (reason: unknown) => {
        settle();
        reject(reason);
      };
      waiting.add(fail);
      try {
        request((error, value) => {
          if (error) return fail(ended?.reason ?? errorOf(error, connection));
          settle();
          resolve(value);
        });
      } catch (error) {
        // ssh2 does not send the request: the line is gone, though its end was not reported yet, or the server does not
        // support the request, such as a rename that replaces.
        fail(socket.writable ? new Refused(textOf(error), "EIO") : lost(connection, error as Error));
      }
    });
  }

  return { ask, end, hasEnded: () => ended !== null };
}

async function openSftp({ ask, end }: Line, client: Client, connection: BridgeConnection): Promise<SFTPWrapper> {
  let sftp: SFTPWrapper;
  try {
    sftp = await ask<SFTPWrapper>((answer) => client.sftp(answer));
  } catch (error) {
    const { host } = connection.settings.remote!;
    const reason = error instanceof Refused
      ? new ConnectionError("failed", `"${host}" lets us in, but not to SFTP: ${error.message}`, error)
      : error;
    end(reason);
    throw reason;
  }
  sftp.on("error", (error: Error) => end(new ConnectionError("failed", `Cannot speak SFTP: ${textOf(error)}`, error)));
  sftp.on("close", () => end(lost(connection)));
  return sftp;
}

function foundIn({ size, mtime, mode }: Attributes): Found {
  return { bytes: size ?? 0, modifiedAt: (mtime ?? 0) * 1000, isFolder: kindOf(mode, "") === "d" };
}

/** The end of a listing or of a file, which SFTP reports as an error. */
class EndOfFile extends Error {
  constructor() {
    super("There is no more");
    this.name = "EndOfFile";
  }
}

/** For `.catch`: `value` at the end of a listing or of a file; any other error is thrown. */
function atEnd<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof EndOfFile) return value;
    throw error;
  };
}

function errorOf(error: Error & { code?: unknown }, connection: BridgeConnection): Error {
  if (error.code === 1) return new EndOfFile();
  if (typeof error.code !== "number") return lost(connection, error);
  // The connection was lost during the request (SSH_FX_NO_CONNECTION, SSH_FX_CONNECTION_LOST).
  if (error.code === 6 || error.code === 7) return lost(connection, error);
  return new Refused(textOf(error), error.code === 2 ? "ENOENT" : error.code === 3 ? "EACCES" : "EIO");
}
