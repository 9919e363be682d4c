/**
 * A visit's SFTP session: questions to a remote server as promises, each of which is answered in time or fails.
 *
 * Whatever goes wrong is a Troubled, or a Refused where the server answers and says no. A question that is not answered
 * ends the session, and with it every other question. What a server sends is bounded: names, sizes, texts.
 */
import type { Attributes, SFTPWrapper } from "ssh2";
import type { BridgeConnection, Dial, SeenFile, Trouble } from "../contract.ts";
import { BYTES_OF_KEYS } from "../algorithms.ts";
import { Troubled } from "../trouble.ts";
import type { Limits } from "./limits.ts";
import { logIn, lost, textOf, timedOut, tooMuch } from "./log-in.ts";

/** The server's no, by its code (draft-ietf-secsh-filexfer-02, 7). */
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

export interface Listed {
  readonly files: readonly SeenFile[];
  /** Whether there were more than `maxFiles` of them. */
  readonly isCut: boolean;
  /** Files whose names cannot be named to the server again, or to anybody. */
  readonly unnameable: number;
}

export interface Session {
  readonly connection: BridgeConnection;
  readonly limits: Limits;
  /** `SHA256:…` */
  readonly hostKey: string;
  /**
   * Files of a folder that `isWanted`, in no order; of more than `maxFiles` the oldest, or the newest. Folders and links
   * are left out. Fails with Refused when there is no such folder.
   */
  list(folder: string, isWanted: (name: string) => boolean, keep?: "oldest" | "newest"): Promise<Listed>;
  /** Null: there is no such thing. */
  find(path: string): Promise<Found | null>;
  open(path: string, mode: "r" | "w"): Promise<Handle>;
  makeFolder(path: string): Promise<void>;
  /** Fails where something of the new name is there, if the server is of that kind. */
  rename(from: string, to: string): Promise<void>;
  /** In place of what is there; fails on servers that cannot. */
  replace(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Where the log-in begins. */
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
const OVER = new Troubled("failed", "The visit is over");
const HANG_UP_MS = 1000;

type Answer<T> = (error: Error | null | undefined, value: T) => void;

/** Fails with Troubled, and then nothing is left open. */
export async function openSession(
  dial: Dial,
  connection: BridgeConnection,
  limits: Limits,
  signal: AbortSignal,
): Promise<Session> {
  const { client, socket, hostKey } = await logIn(dial, connection, limits, signal);
  const waiting = new Set<(reason: unknown) => void>();
  let ended: { reason: unknown } | null = null;

  function end(reason: unknown): void {
    if (ended !== null) return;
    ended = { reason };
    signal.removeEventListener("abort", abort);
    for (const fail of waiting) fail(reason);
    // Politely where there is no hurry; a server that does not hang up is hung up on.
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
  let bytes = 0, questions = 0, rekeys = 0;
  socket.on("data", (data: Uint8Array) => {
    bytes += data.length;
    if (bytes > limits.unaskedBytes + questions * limits.answerBytes) end(tooMuch(connection));
  });
  client.on("handshake", () => {
    if (++rekeys > limits.rekeys + bytes / BYTES_OF_KEYS) end(tooMuch(connection));
  });

  function ask<T>(question: (answer: Answer<T>) => void): Promise<T> {
    return new Promise((done, fail) => {
      if (ended !== null) return fail(ended.reason);
      questions++;
      const timer = setTimeout(() => end(timedOut(connection, limits.answerMs)), limits.answerMs);
      const settle = () => {
        clearTimeout(timer);
        waiting.delete(broken);
      };
      const broken = (reason: unknown) => {
        settle();
        fail(reason);
      };
      waiting.add(broken);
      try {
        question((error, value) => {
          settle();
          if (error) fail(ended?.reason ?? refusalOf(error, connection));
          else done(value);
        });
      } catch (error) {
        // What ssh2 does not even ask: the line is gone, though its end was not told yet; or the server has no such verb,
        // like a rename in place.
        broken(socket.writable ? new Refused(textOf(error), "EIO") : lost(connection, error as Error));
      }
    });
  }

  let sftp: SFTPWrapper;
  try {
    sftp = await ask<SFTPWrapper>((answer) => client.sftp(answer));
  } catch (error) {
    const { host } = connection.settings.remote!;
    const reason = error instanceof Refused
      ? new Troubled("failed", `"${host}" lets us in, but not to SFTP: ${error.message}`, error)
      : error;
    end(reason);
    throw reason;
  }
  sftp.on("error", (error: Error) => end(new Troubled("failed", `Cannot speak SFTP: ${textOf(error)}`, error)));
  sftp.on("close", () => end(lost(connection)));

  const find = async (question: (answer: Answer<Attributes>) => void): Promise<Found> => {
    const { size, mtime, mode } = await ask<Attributes>(question);
    return { bytes: size ?? 0, modifiedAt: (mtime ?? 0) * 1000, isFolder: kindOf(mode, "") === "d" };
  };

  return {
    connection,
    limits,
    hostKey,
    async list(folder, isWanted, keep = "oldest") {
      const until = performance.now() + limits.listMs;
      const handle = await ask<Buffer>((answer) => sftp.opendir(folder, answer));
      const files: SeenFile[] = [];
      let names = 0, unnameable = 0, isCut = false;
      try {
        for (;;) {
          let page: readonly { filename: string; longname: string; attrs: Attributes }[];
          try {
            page = await ask((answer: Answer<typeof page>) => sftp.readdir(handle as never, answer as never));
          } catch (error) {
            if (error instanceof EndOfFile) break;
            throw error;
          }
          names += page.length;
          if (names > limits.maxNames) {
            throw new Troubled("failed", `"${folder}" has more than ${limits.maxNames} names: move old ones elsewhere`);
          }
          if (performance.now() > until) {
            throw new Troubled("timed_out", `"${folder}" was not listed within ${limits.listMs / 1000} s`);
          }
          for (const { filename, longname, attrs } of page) {
            if (filename === "." || filename === ".." || kindOf(attrs.mode, longname) !== "-") continue;
            if (!isNameable(filename)) unnameable++;
            else if (isWanted(filename)) {
              files.push({ name: filename, bytes: attrs.size ?? 0, modifiedAt: (attrs.mtime ?? 0) * 1000 });
            }
          }
          if (files.length >= 2 * limits.maxFiles) isCut = cut(files, limits.maxFiles, keep);
        }
      } finally {
        if (ended === null) await ask<void>((answer) => sftp.close(handle, answer as never)).catch(() => {});
      }
      isCut = cut(files, limits.maxFiles, keep) || isCut;
      return { files, isCut, unnameable };
    },
    async find(path) {
      try {
        return await find((answer) => sftp.lstat(path, answer as never));
      } catch (error) {
        if (error instanceof Refused && error.code === "ENOENT") return null;
        throw error;
      }
    },
    async open(path, mode) {
      const handle = await ask<Buffer>((answer) => sftp.open(path, mode, answer));
      return {
        read: async (position, length) => {
          try {
            const into = Buffer.allocUnsafe(length);
            const got = await ask<number>((answer) => sftp.read(handle, into, 0, length, position, answer));
            return into.subarray(0, got);
          } catch (error) {
            if (error instanceof EndOfFile) return new Uint8Array();
            throw error;
          }
        },
        write: (position, bytes) => {
          const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
          return ask<void>((answer) => sftp.write(handle, from, 0, from.length, position, answer as never));
        },
        find: () => find((answer) => sftp.fstat(handle, answer)),
        close: () => ask<void>((answer) => sftp.close(handle, answer as never)),
      };
    },
    makeFolder: (path) => ask<void>((answer) => sftp.mkdir(path, answer as never)),
    rename: (from, to) => ask<void>((answer) => sftp.rename(from, to, answer as never)),
    replace: (from, to) => ask<void>((answer) => sftp.ext_openssh_rename(from, to, answer as never)),
    remove: (path) => ask<void>((answer) => sftp.unlink(path, answer as never)),
    whereAmI: () => ask<string>((answer) => sftp.realpath(".", answer as never)),
    close: () => end(OVER),
  };
}

/** The end of a listing or of a file, which SFTP tells as a refusal. */
class EndOfFile extends Error {
  constructor() {
    super("There is no more");
    this.name = "EndOfFile";
  }
}

function refusalOf(error: Error & { code?: unknown }, connection: BridgeConnection): Error {
  if (error.code === 1) return new EndOfFile();
  if (typeof error.code !== "number") return lost(connection, error);
  // Connections that were lost in a question's midst (SSH_FX_NO_CONNECTION, SSH_FX_CONNECTION_LOST).
  if (error.code === 6 || error.code === 7) return lost(connection, error);
  return new Refused(textOf(error), error.code === 2 ? "ENOENT" : error.code === 3 ? "EACCES" : "EIO");
}

/** As `ls` has it: `-` a file, `d` a folder; where a server does not say, its line of text does. */
function kindOf(mode: number | undefined, longname: string): string {
  const format = (mode ?? 0) & 0o170000;
  if (format === 0) return /^[-dlbcps]/.test(longname) ? longname[0]! : "-";
  return format === 0o100000 ? "-" : format === 0o040000 ? "d" : "other";
}

/** Whether the name, sent back, means the same file, and no other place. U+FFFD is what bytes that are no UTF-8 become. */
function isNameable(name: string): boolean {
  return name !== "" && !/[/\p{Cc}\uFFFD]/u.test(name) && new TextEncoder().encode(name).length <= 255;
}

/** Whether there were more than `count`. */
function cut(files: SeenFile[], count: number, keep: "oldest" | "newest"): boolean {
  if (files.length <= count) return false;
  files.sort((a, b) => keep === "oldest" ? a.modifiedAt - b.modifiedAt : b.modifiedAt - a.modifiedAt);
  files.length = count;
  return true;
}
