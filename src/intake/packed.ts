/**
 * What a drop is packed in, by its content and never by its name: gzip, an archive with one file in it, a workbook. Comes
 * out as a stream of what is inside, or as the workbook's parts.
 *
 * Throws Faults: `workbook_invalid` for what is damaged, has a password, or is of another kind; `too_large`;
 * `input_incomplete`.
 */
import { streamOf } from "../std/streams.ts";
import { Fault } from "../model/errors.ts";
import { concatBytes } from "../std/typed-arrays.ts";
import { peek, resume } from "./encoding.ts";
import { documentFault } from "./other-kinds.ts";
import type { ReadOptions } from "./reading.ts";
import { isCompound, isGzip, isZip } from "./signatures.ts";
import type { Entries, Entry } from "./workbook/zip.ts";
import { sizeInWords } from "../std/size.ts";

export type Opened =
  | { readonly kind: "workbook"; readonly entries: Entries }
  /** `name`: of the file inside, or as it was. */
  | {
    readonly kind: "bytes";
    readonly name: string;
    readonly head: Uint8Array;
    readonly rest: AsyncIterator<Uint8Array>;
  };

type PackedLimits = Pick<ReadOptions, "maxPackedBytes" | "maxBytes">;

const HEAD_BYTES = 1024;
/** A packed file may be packed once more. */
const MAX_LAYERS = 2;

export async function openPacked(
  name: string,
  stream: AsyncIterator<Uint8Array>,
  limits: PackedLimits,
  layers = 0,
): Promise<Opened> {
  const head = await peek(stream, HEAD_BYTES);
  if (isZip(head)) {
    const { CONTENT_TYPES, readEntries, unpack } = await import("./workbook/zip.ts");
    const entries = readEntries(await collect(head, stream, limits.maxPackedBytes), limits.maxBytes);
    const document = documentFault(entries);
    if (document !== null) throw document;
    if (entries.has(CONTENT_TYPES)) return { kind: "workbook", entries };
    requireLayers(layers);
    const file = onlyFile(entries);
    return await openPacked(file.name.replace(/^.*[/\\]/, ""), iterate(unpack(file)), limits, layers + 1);
  }
  if (isGzip(head)) {
    requireLayers(layers);
    return await openPacked(name.replace(/\.gz$/i, ""), gunzip(resume(head, stream)), limits, layers + 1);
  }
  if (isCompound(head)) {
    throw isEncrypted(await collect(head, stream, limits.maxPackedBytes)) ? withPassword() : new Fault(
      "workbook_invalid",
      "The file is a workbook or a document of Excel or Word before 2007: save it as .xlsx or CSV",
    );
  }
  return { kind: "bytes", name, head, rest: stream };
}

function requireLayers(layers: number): void {
  if (layers < MAX_LAYERS) return;
  throw new Fault("workbook_invalid", `The file is packed more than ${MAX_LAYERS} times: unpack it first`);
}

/** The one file of an archive, beside what systems add on their own. */
function onlyFile(entries: Entries): Entry {
  const files = [...entries.values()].filter(({ name }) =>
    !/[/\\]$|(?:^|[/\\])(?:__MACOSX[/\\]|\.DS_Store$|\._)/.test(name)
  );
  if (files.length === 1) return files[0]!;
  throw new Fault(
    "workbook_invalid",
    files.length === 0
      ? "The archive is empty: it should have one file in it"
      : `The archive has ${files.length} files in it and should have one: send each by itself`,
  );
}

/** A workbook with a password is an encrypted package inside a file of the older kind ([MS-OFFCRYPTO]). */
function isEncrypted(file: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(file).includes([..."EncryptedPackage"].join("\0"));
}

function withPassword(): Fault {
  return new Fault("workbook_invalid", "The workbook has a password: save it without one");
}

async function* gunzip(packed: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
  const unzip = new DecompressionStream("gzip") as unknown as TransformStream<Uint8Array, Uint8Array>;
  const reader = streamOf(packed).pipeThrough(unzip).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("input_incomplete", "The file is packed with gzip, and is damaged or cut off: send it again", {
      cause,
    });
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function* iterate(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}

async function collect(head: Uint8Array, rest: AsyncIterator<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of resume(head, rest)) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new Fault(
        "too_large",
        `The archive or workbook has over ${sizeInWords(maxBytes)}, which is the limit: send it as CSV`,
      );
    }
    chunks.push(chunk);
  }
  return concatBytes(...chunks);
}
