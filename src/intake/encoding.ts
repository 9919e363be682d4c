/**
 * Bytes as received to UTF-8 without a byte order mark, streaming.
 *
 * UTF-16 is recognized by its byte order mark; any other encoding has to be declared, and a byte order mark counts more
 * than that. Both are checked here, as they are rewritten. UTF-8 passes unchanged: a row is checked when it is decoded, and
 * a row that is never decoded has the bytes of an earlier one. Well-known binary formats (Excel, PDF) are refused by name first. No clock.
 */
import type { ReadOptions } from "./reading.ts";
import { Fault } from "../model/errors.ts";
import { concatBytes } from "../std/typed-arrays.ts";
import { withoutEndMark } from "./end-mark.ts";
import { fromCharset, fromUtf16 } from "./transcode.ts";
import { sizeInWords } from "../std/size.ts";

/** An input's bytes: a stream, or anything that can be iterated like one. */
export type ByteSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export interface TextBytes {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Where the text begins in the input as received, in bytes: after its byte order mark. */
  readonly offset: number;
}

type TextOptions = Pick<ReadOptions, "charset" | "maxBytes">;

/** Detects the encoding by the first bytes and converts the rest to UTF-8. Throws Faults for binary formats. */
export async function openText(source: ByteSource, options: TextOptions): Promise<TextBytes> {
  const iterator = limited(source, options.maxBytes)[Symbol.asyncIterator]();
  const head = await peek(iterator, 8);
  try {
    refuseBinary(head);
  } catch (fault) {
    await iterator.return?.();
    throw fault;
  }
  const chunks = (skip: number) => resume(head.subarray(skip), iterator);
  const [chunksOfUtf8, offset] = decoded(head, chunks, options.charset ?? "utf-8");
  return { chunks: withoutEndMark(chunksOfUtf8), offset };
}

/** The text as UTF-8, and where it begins. `head`: its first bytes; `chunks`: all of them but the first so many. */
function decoded(
  head: Uint8Array,
  chunks: (skip: number) => AsyncIterable<Uint8Array>,
  charset: string,
): readonly [chunks: AsyncIterable<Uint8Array>, offset: number] {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return [chunks(3), 3];
  if (head[0] === 0xff && head[1] === 0xfe) return [fromUtf16(chunks(2), false, 2), 2];
  if (head[0] === 0xfe && head[1] === 0xff) return [fromUtf16(chunks(2), true, 2), 2];
  if (charset === "utf-8") return [chunks(0), 0];
  if (charset === "utf-16le" || charset === "utf-16be") return [fromUtf16(chunks(0), charset === "utf-16be", 0), 0];
  return [fromCharset(chunks(0), charset), 0];
}

async function* limited(source: ByteSource, maxBytes: number): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new Fault("too_large", `The input is over its limit of ${sizeInWords(maxBytes)}: send it in parts`);
    }
    yield chunk;
  }
}

/** The first chunks, with at least so many bytes unless the input has fewer. */
export async function peek(iterator: AsyncIterator<Uint8Array>, bytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let size = 0; size < bytes;) {
    const chunk = await iterator.next();
    if (chunk.done) break;
    chunks.push(chunk.value);
    size += chunk.value.length;
  }
  return concatBytes(...chunks);
}

/** The bytes that were peeked at, then the rest. Stopping early lets go of the input. */
export async function* resume(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    if (head.length > 0) yield head;
    for (let chunk = await rest.next(); !chunk.done; chunk = await rest.next()) yield chunk.value;
  } finally {
    await rest.return?.();
  }
}

const SIGNATURES: readonly (readonly [readonly number[], string, string])[] = [
  [[0x25, 0x50, 0x44, 0x46], "a PDF document", "send the data as CSV or JSON"],
  [[0x2d, 0x2d, 0x2d, 0x2d, 0x2d, 0x42, 0x45, 0x47], "an encrypted message or a key", "send the data itself"],
];

function refuseBinary(head: Uint8Array): void {
  for (const [signature, what, remedy] of SIGNATURES) {
    if (signature.every((byte, i) => head[i] === byte)) {
      throw new Fault("encoding_invalid", `The input looks like ${what}, from offset 0: ${remedy}`);
    }
  }
}
