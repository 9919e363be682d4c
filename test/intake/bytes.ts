/** Inputs for the readers' tests: bytes in chunks, and everything that a reader gives back. */
import type { ReadOptions, ReadReport } from "../../src/intake/reading.ts";
import { Fault } from "../../src/model/errors.ts";
import type { Cell, RowBlock } from "../../src/model/record.ts";
import type { ByteSource } from "../../src/intake/encoding.ts";

export const OPTIONS: ReadOptions = {
  charset: null,
  delimiter: "auto",
  skipLines: 0,
  maxRowBytes: 1024 * 1024,
  maxColumns: 500,
  maxBytes: 1024 * 1024 * 1024,
  maxPackedBytes: 1024 * 1024,
  sheet: null,
  isHeader: () => true,
};

export type Reader = (stream: ByteSource, options: ReadOptions, report: ReadReport) => AsyncIterable<RowBlock>;

export interface Reading {
  readonly columns: readonly string[];
  readonly lines: readonly (number | null)[];
  readonly cells: readonly (readonly Cell[])[];
  readonly digests: readonly string[];
  readonly report: ReadReport;
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function utf16(text: string, bigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(2 * text.length + 2);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xfeff, !bigEndian);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i + 2, text.charCodeAt(i), !bigEndian);
  return bytes;
}

/** The bytes as a stream of chunks of these sizes, over and over. */
export function streamOf(bytes: Uint8Array, sizes: readonly number[] = [65536]): ReadableStream<Uint8Array> {
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const size = sizes[turn++ % sizes.length]!;
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

const SALT = new Int32Array([1, -2, 3, -4]);

/** Reads it all, every row decoded. */
export async function readAll(
  reader: Reader,
  input: string | Uint8Array | ByteSource,
  options: Partial<ReadOptions> = {},
  sizes?: readonly number[],
): Promise<Reading> {
  const report: ReadReport = { delimiter: null, endsWithLineEnd: false };
  const bytes = typeof input === "string" ? bytesOf(input) : input;
  const stream = bytes instanceof Uint8Array ? streamOf(bytes, sizes) : bytes;
  let columns: readonly string[] = [];
  const lines: (number | null)[] = [];
  const cells: (readonly Cell[])[] = [];
  const digests: string[] = [];
  for await (const block of reader(stream, { ...OPTIONS, ...options }, report)) {
    columns = block.columns;
    const out = new Int32Array(4);
    for (let i = 0; i < block.count; i++) {
      block.digest(i, SALT, out, 0);
      digests.push(out.join());
    }
    for (const row of block.rows(Array.from({ length: block.count }, (_, i) => i))) {
      lines.push(row.line);
      cells.push(row.cells);
    }
  }
  return { columns, lines, cells, digests, report };
}

/** The Fault that reading ends with, as `code: message`, with ` @line` where it names one. */
export async function faultOf(...input: Parameters<typeof readAll>): Promise<string> {
  try {
    await readAll(...input);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    return `${fault.code}: ${fault.message}${fault.line === null ? "" : ` @${fault.line}`}`;
  }
  return "read without a Fault";
}
