/**
 * Bytes as received to UTF-8 without a byte order mark, streaming.
 *
 * UTF-16 is known by its mark, Windows-1252 only when declared; both are checked here, as they are rewritten. UTF-8 passes
 * as it is: a row is checked when it is decoded, and a row that is never decoded has the bytes of one that was. What is
 * plainly no text (an Excel workbook, a PDF) is turned away by name before anything else. No clock.
 */
import type { ReadOptions } from "./reading.ts";
import { Fault } from "../model/errors.ts";
import { fromUtf16, fromWindows1252 } from "./transcode.ts";

/** An input's bytes: a stream, or anything that can be iterated like one. */
export type ByteSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export interface TextBytes {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Where the text begins in the input as received, in bytes: after its byte order mark. */
  readonly offset: number;
}

type TextOptions = Pick<ReadOptions, "encoding" | "maxBytes">;

/** Looks at the first bytes, and says how the rest becomes UTF-8. Fails for what is no text. */
export async function openText(source: ByteSource, options: TextOptions): Promise<TextBytes> {
  const iterator = limited(source, options.maxBytes)[Symbol.asyncIterator]();
  const head = await peek(iterator, 8);
  try {
    refuseBinary(head);
  } catch (fault) {
    await iterator.return?.();
    throw fault;
  }
  const chunks = (skip: number) => from(head.subarray(skip), iterator);
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { chunks: chunks(3), offset: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { chunks: fromUtf16(chunks(2), false), offset: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { chunks: fromUtf16(chunks(2), true), offset: 2 };
  if (options.encoding === "windows-1252") return { chunks: fromWindows1252(chunks(0)), offset: 0 };
  return { chunks: chunks(0), offset: 0 };
}

async function* limited(source: ByteSource, maxBytes: number): AsyncGenerator<Uint8Array, void> {
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      throw new Fault("too_large", `The input is over its limit of ${maxBytes} bytes: send it in parts`);
    }
    yield chunk;
  }
}

async function peek(iterator: AsyncIterator<Uint8Array>, bytes: number): Promise<Uint8Array> {
  let head = new Uint8Array(0);
  while (head.length < bytes) {
    const chunk = await iterator.next();
    if (chunk.done) break;
    const longer = new Uint8Array(head.length + chunk.value.length);
    longer.set(head);
    longer.set(chunk.value, head.length);
    head = longer;
  }
  return head;
}

async function* from(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    if (head.length > 0) yield head;
    for (let chunk = await rest.next(); !chunk.done; chunk = await rest.next()) yield chunk.value;
  } finally {
    await rest.return?.();
  }
}

const SIGNATURES: readonly (readonly [readonly number[], string, string])[] = [
  [[0x50, 0x4b, 0x03, 0x04], "a ZIP file or an Excel workbook", 'save it as "CSV UTF-8" and send that'],
  [[0xd0, 0xcf, 0x11, 0xe0], "an old Excel workbook", 'save it as "CSV UTF-8" and send that'],
  [[0x25, 0x50, 0x44, 0x46], "a PDF document", "send the data as CSV or JSON"],
  [[0x2d, 0x2d, 0x2d, 0x2d, 0x2d, 0x42, 0x45, 0x47], "an encrypted message or a key", "send the data itself"],
  [[0x1f, 0x8b], "a gzip file", "send it unpacked"],
];

function refuseBinary(head: Uint8Array): void {
  for (const [signature, what, remedy] of SIGNATURES) {
    if (signature.every((byte, i) => head[i] === byte)) {
      throw new Fault("encoding_invalid", `The input looks like ${what}, from offset 0: ${remedy}`);
    }
  }
}

/**
 * NUL is no character of any text that people keep; it is the mark of a binary file, or of UTF-16 without its own mark.
 * `bytes` are filled up to `to`, and begin at `offset` of the input.
 */
export function nulFault(bytes: Uint8Array, at: number, to: number, offset: number, line: number | null): Fault {
  const wide = (at + 2 < to && bytes[at + 2] === 0) || (at >= 2 && bytes[at - 2] === 0);
  const what = wide ? "it looks like UTF-16 without a byte order mark" : "it looks like a binary file";
  return new Fault(
    "encoding_invalid",
    `Byte 0x00 at offset ${offset + at} is not text, ${what}: save the file as "CSV UTF-8"`,
    { line },
  );
}
