/**
 * Whether the bytes of a file mention a person: plain, packed with gzip, in an archive or a workbook, in any encoding that
 * files of people have.
 *
 * The bytes are read as a stream, a chunk at a time. A file that is not text, such as an encrypted one, cannot be searched.
 * Text with a stray control character looks the same, so a file that was imported before is searched `anyway`.
 */

import { streamOf } from "../std/streams.ts";
import { textOf } from "../intake/workbook/text.ts";
import { isZip } from "../intake/signatures.ts";
import { CONTENT_TYPES, readEntries, unpack as unpackEntry } from "../intake/workbook/zip.ts";
import { UNPACKED } from "../model/limits.ts";
import { concatBytes } from "../std/typed-arrays.ts";

export type Searched = "found" | "not_found" | "unreadable";

/** Characters that are searched again together with the next chunk: a row is rarely longer. */
const OVERLAP = 2_000;
/** Files of people are packed at most this often. There are malicious files that unpack to themselves. */
const MAX_LAYERS = 2;
/** Bytes of an archive, as it came. The hub reads none that is larger. */
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;

interface Search {
  /** Tests one section of the text after another. */
  readonly isIn: (text: string) => boolean;
  /** Awaited between sections. */
  readonly step: () => Promise<void>;
  /** Even if it is not text. */
  readonly anyway: boolean;
  /** The encoding that was declared for it; null: none. */
  readonly charset: string | null;
}

/**
 * `isIn` tests one section of the text after another; `step` is awaited between them. `anyway`: even if it is not text.
 * `charset`: the encoding that was declared for it, if it is not UTF-8.
 */
export function searchContent(
  content: ReadableStream<Uint8Array>,
  isIn: (text: string) => boolean,
  step: () => Promise<void> = () => Promise.resolve(),
  { anyway = false, charset = null }: Partial<Pick<Search, "anyway" | "charset">> = {},
): Promise<Searched> {
  return searchLayer(content, { isIn, step, anyway, charset }, 0);
}

async function searchLayer(content: ReadableStream<Uint8Array>, search: Search, layers: number): Promise<Searched> {
  const reader = content.getReader();
  const head = await firstBytes(reader);
  const rest = following(head, reader);
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  if (isGzip || isZip(head)) {
    if (layers === MAX_LAYERS) {
      await rest.cancel();
      return "unreadable";
    }
    // A part of an upload may end in the middle of the packed data: what came before counts.
    const searched = isGzip ? searchLayer(unpack(rest), search, layers + 1) : searchArchive(rest, search, layers + 1);
    return await searched.catch(() => "unreadable" as const);
  }
  const encoding = encodingOf(head.subarray(0, HEAD_BYTES));
  if (encoding === null && !search.anyway) {
    await rest.cancel();
    return "unreadable";
  }
  const searched = await searchText(rest, encoding ?? "utf-8", search);
  return encoding === null && searched === "not_found" ? "unreadable" : searched;
}

async function searchArchive(
  content: ReadableStream<Uint8Array>,
  search: Search,
  layers: number,
): Promise<Searched> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_ARCHIVE_BYTES) return "unreadable";
    chunks.push(chunk);
  }
  const entries = readEntries(concatBytes(...chunks), UNPACKED.freeBytes + UNPACKED.ratio * size);
  if (entries.has(CONTENT_TYPES)) {
    for (const section of textOf(entries)) {
      if (search.isIn(section)) return "found";
      await search.step();
    }
    return "not_found";
  }
  let whole: Searched = "not_found";
  for (const entry of entries.values()) {
    const searched = await searchLayer(streamOf(unpackEntry(entry)), search, layers);
    if (searched === "found") return "found";
    if (searched === "unreadable") whole = "unreadable";
  }
  return whole;
}

async function searchText(
  content: ReadableStream<Uint8Array>,
  encoding: string,
  { isIn, step, charset }: Search,
): Promise<Searched> {
  // Bytes that are not UTF-8 may be letters of an older encoding, so all that they could be in are searched.
  const older = encoding === "utf-8" ? ["windows-1252", ...(charset === null ? [] : [charset])] : [];
  const decoders = [...new Set([encoding, ...older])].map((name) => new TextDecoder(name));
  const tails = decoders.map(() => "");
  for await (const bytes of content as unknown as AsyncIterable<Uint8Array>) {
    for (const [i, decoder] of decoders.entries()) {
      const text = tails[i] + decoder.decode(bytes, { stream: true });
      if (isIn(text)) return "found";
      tails[i] = text.slice(-OVERLAP);
    }
    await step();
  }
  return "not_found";
}

/** Fails when it unpacks to far more than files of people do. */
function unpack(packed: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  let packedBytes = 0, bytes = 0;
  const watch = (look: (chunk: Uint8Array) => void) =>
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        look(chunk);
        controller.enqueue(chunk);
      },
    });
  const gunzip = new DecompressionStream("gzip") as unknown as TransformStream<Uint8Array, Uint8Array>;
  return packed.pipeThrough(watch(({ length }) => packedBytes += length)).pipeThrough(gunzip)
    .pipeThrough(watch(({ length }) => {
      bytes += length;
      if (bytes > UNPACKED.freeBytes + UNPACKED.ratio * packedBytes) throw new Error("It unpacks to too much");
    }));
}

/** Null: it is not text. */
function encodingOf(head: Uint8Array): string | null {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const text = String.fromCharCode(...head);
  if (text.includes("-----BEGIN PGP")) return null;
  const zeros = [0, 1].map((odd) => head.filter((byte, i) => byte === 0 && i % 2 === odd).length);
  if (zeros[1]! > head.length / 4) return "utf-16le";
  if (zeros[0]! > head.length / 4) return "utf-16be";
  // deno-lint-ignore no-control-regex
  return /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(text) ? null : "utf-8";
}

const HEAD_BYTES = 512;

/** Enough bytes to recognize the format, or all that there are. */
async function firstBytes(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
  let head = new Uint8Array();
  while (head.length < HEAD_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    const longer = new Uint8Array(head.length + value.length);
    longer.set(head);
    longer.set(value, head.length);
    head = longer;
  }
  return head;
}

function following(head: Uint8Array, reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  let isFirst = true;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (isFirst && head.length > 0) {
        isFirst = false;
        return controller.enqueue(head);
      }
      isFirst = false;
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
