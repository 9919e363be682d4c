/** A body, cut into chunks as it arrives. Fails with `too_large`, or `input_incomplete` where it breaks off. */
import { sizeInWords } from "../../std/size.ts";
import { Fault } from "../../model/errors.ts";

/** The most bytes of a chunk before gzip, unless the database takes less (Database.valueBytes). */
export const CHUNK_BYTES = 1024 * 1024;

export type Bytes = ReadableStream<Uint8Array>;

/** The body in chunks, each in a buffer that is valid until the next chunk but one is requested. */
export async function* cutChunks(
  body: Bytes,
  maxBytes: number,
  what: string,
  chunkBytes = CHUNK_BYTES,
): AsyncGenerator<Uint8Array> {
  const read = openReader(body);
  let buffer = new Uint8Array(64 * 1024), spare = new Uint8Array(0);
  let filled = 0;
  let total = 0;
  try {
    for (;;) {
      if (filled === buffer.length) {
        const grown = new Uint8Array(Math.min(chunkBytes, buffer.length * 2));
        grown.set(buffer);
        buffer = grown;
      }
      const result = await read.into(buffer, filled).catch((cause: unknown) => {
        if (cause instanceof Fault) throw cause;
        throw new Fault("input_incomplete", "The body broke off before its end; nothing of it was taken", { cause });
      });
      buffer = result.buffer;
      if (result.bytes === 0) break;
      total += result.bytes;
      filled += result.bytes;
      if (total > maxBytes) throw tooLarge(what, maxBytes);
      if (filled === chunkBytes) {
        yield buffer;
        [buffer, spare] = [spare.length === chunkBytes ? spare : new Uint8Array(chunkBytes), buffer];
        filled = 0;
      }
    }
  } finally {
    await read.cancel().catch(() => {});
  }
  if (filled > 0) yield buffer.subarray(0, filled);
}

interface IntoReader {
  /** Reads some bytes into the buffer from index `from`; 0 at the end. Gives the buffer to continue with. */
  into(buffer: Uint8Array<ArrayBuffer>, from: number): Promise<{ bytes: number; buffer: Uint8Array<ArrayBuffer> }>;
  cancel(): Promise<void>;
}

/** Reads straight into the buffer if the stream can do that, so that no garbage is made for each piece. */
function openReader(body: Bytes): IntoReader {
  let direct: ReadableStreamBYOBReader;
  try {
    direct = body.getReader({ mode: "byob" });
  } catch {
    return openCopyingReader(body);
  }
  return {
    async into(buffer, from) {
      const { value } = await direct.read(buffer.subarray(from));
      // The stream takes the memory and returns it, unless it was cancelled.
      if (value === undefined) throw new Error("The stream was cancelled");
      return { bytes: value.length, buffer: new Uint8Array(value.buffer as ArrayBuffer) };
    },
    cancel: () => direct.cancel(),
  };
}

function openCopyingReader(body: Bytes): IntoReader {
  const reader = body.getReader();
  let rest = new Uint8Array(0) as Uint8Array;
  return {
    async into(buffer, from) {
      while (rest.length === 0) {
        const { done, value } = await reader.read();
        if (done) return { bytes: 0, buffer };
        rest = value;
      }
      const bytes = Math.min(rest.length, buffer.length - from);
      buffer.set(rest.subarray(0, bytes), from);
      rest = rest.subarray(bytes);
      return { bytes, buffer };
    },
    cancel: () => reader.cancel(),
  };
}

/** `too_large`, naming the limit in a unit that people use. */
export function tooLarge(what: string, maxBytes: number): Fault {
  return new Fault("too_large", `The body is larger than ${what} may be: ${sizeInWords(maxBytes)} at most`);
}
