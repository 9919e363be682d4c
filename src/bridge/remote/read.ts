/**
 * A remote file's bytes as a stream, several requests ahead of the reader, and never more of them in memory than that.
 *
 * The stream errors when the file is not, up to its end, the one that was found: a part of a file never passes for it.
 */
import { createHash } from "node:crypto";
import type { SeenFile } from "../contract.ts";
import { ConnectionError } from "../trouble.ts";
import type { Found, Handle, Session } from "./session.ts";

/** The most that every server sends in one answer. */
const CHUNK_BYTES = 32 * 1024;
const AHEAD = 16;

export interface Expected extends SeenFile {
  /** 64 hexadecimal digits of the bytes' SHA-256; null: unknown. */
  readonly sha256: string | null;
}

/** The file does not have the digest in its companion, and will not until one of both changes. */
export class WrongDigest extends ConnectionError {
  constructor(message: string) {
    super("file_changed", message);
    this.name = "WrongDigest";
  }
}

/** `onFault` gets the reason why the stream errors, whatever becomes of the error on its way. */
export function readFile(
  session: Session,
  path: string,
  file: Expected,
  onFault: (error: unknown) => void = () => {},
): ReadableStream<Uint8Array> {
  const { limits } = session;
  const allowedMs = limits.transferMs + (file.bytes / limits.slowestBytesPerSecond) * 1000;
  const hash = file.sha256 === null ? null : createHash("sha256");
  let handle: Handle | null = null, next: ReturnType<typeof readAhead> | null = null;
  let given = 0, until = Infinity;

  async function close(): Promise<void> {
    const open = handle;
    handle = next = null;
    await open?.close().catch(() => {});
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        if (handle === null || next === null) {
          until = performance.now() + allowedMs;
          handle = await session.open(path, "r");
          await checkSame(file, handle);
          next = readAhead(handle, file);
        }
        const chunk = await next();
        if (chunk !== undefined) {
          if (performance.now() > until) {
            throw new ConnectionError(
              "timed_out",
              `"${file.name}" was not read within ${Math.round(allowedMs / 1000)} s`,
            );
          }
          given += chunk.length;
          hash?.update(chunk);
          controller.enqueue(chunk);
          if (given < file.bytes) return;
        }
        await checkSame(file, handle);
        if (hash !== null && hash.digest("hex") !== file.sha256) {
          throw new WrongDigest(`"${file.name}" is not what its .sha256 says: send it again, or a right .sha256`);
        }
        await close();
        controller.close();
      } catch (error) {
        onFault(error);
        await close();
        controller.error(error);
      }
    },
    cancel: close,
  }, { highWaterMark: 0 });
}

/** Returns what gives the next bytes of the file, undefined at its end, and requests those behind them as well. */
function readAhead(handle: Handle, file: SeenFile): () => Promise<Uint8Array> | undefined {
  const ahead: Promise<Uint8Array>[] = [];
  let requested = 0;
  return () => {
    while (ahead.length < AHEAD && requested < file.bytes) {
      const length = Math.min(CHUNK_BYTES, file.bytes - requested);
      const answer = readAll(handle, requested, length, () => changed(file));
      // When the reader stops early, nothing waits for these answers.
      answer.catch(() => {});
      ahead.push(answer);
      requested += length;
    }
    return ahead.shift();
  };
}

async function checkSame(file: SeenFile, handle: Handle): Promise<void> {
  if (!isSame(file, await handle.find())) throw changed(file);
}

function changed({ name }: SeenFile): ConnectionError {
  return new ConnectionError("file_changed", `"${name}" has changed while it was read: it is taken when it rests`);
}

/** Reads `length` bytes, however few the server sends at a time. */
async function readAll(handle: Handle, position: number, length: number, cutShort: () => Error): Promise<Uint8Array> {
  const first = await handle.read(position, length);
  if (first.length === length) return first;
  const whole = new Uint8Array(length);
  let size = first.length;
  whole.set(first);
  while (size < length) {
    const more = await handle.read(position + size, length - size);
    if (more.length === 0) throw cutShort();
    whole.set(more, size);
    size += more.length;
  }
  return whole;
}

/** A companion is a line of `sha256sum`, or its first word. */
const COMPANION_BYTES = 4096;

/** The digest in the `.sha256` companion at `path`. */
export async function readDigest(session: Session, path: string, name: string): Promise<string> {
  const handle = await session.open(path, "r");
  const text = new TextDecoder().decode(await handle.read(0, COMPANION_BYTES));
  await handle.close();
  const [, digest] = /^\uFEFF?\s*\\?([0-9a-f]{64})(?:\s|$)/i.exec(text) ?? [];
  if (digest !== undefined) return digest.toLowerCase();
  throw new WrongDigest(`"${name}" has no SHA-256 in it: it should begin with 64 digits, as sha256sum writes them`);
}

export function isSame(file: SeenFile, found: Found): boolean {
  return found.bytes === file.bytes && found.modifiedAt === file.modifiedAt;
}
