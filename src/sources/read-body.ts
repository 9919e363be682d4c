/**
 * Reads a fetched body with the hub's own readers, as a drop that was sent. Streams it; only what is encrypted is held in
 * memory, because it is proven to be whole and signed before any of it is used.
 */
import type { Connector, DropSource, FetchedRows, ReadAs } from "../connector.ts";
import type { Hub } from "../hub.ts";
import { isEncryptedDrop } from "../intake/decrypt.ts";
import { peek, resume } from "../intake/encoding.ts";
import { isApart, readDrop } from "../intake/media.ts";
import type { ReadOptions, ReadReport } from "../intake/reading.ts";
import { Fault } from "../model/errors.ts";
import type { Entity, Row, RowBlock } from "../model/record.ts";
import { fixedKey, MAX_PACKED_BYTES } from "../runs/input.ts";
import { openAndProve } from "../runs/open-drop.ts";
import { columnsOf, optionsOf } from "../runs/read-drop.ts";
import { parseSettings } from "../runs/settings.ts";
import { resolvePolicy } from "../runs/stage.ts";
import { streamOf } from "../std/streams.ts";
import { concatBytes } from "../std/typed-arrays.ts";
import type { Connection } from "../store/connections/connections.ts";
import { loadCustomFields } from "../store/people/custom-fields.ts";

interface Reading {
  readonly hub: Hub;
  readonly connection: Connection;
  readonly connector: Connector<never>;
  readonly entity: Entity;
}

const HEAD_BYTES = 4096;
const MAX_ENCRYPTED_BYTES = 64 * 1024 * 1024;
const MAX_NAME = 200;
/** Rows of a page. */
const AT_ONCE = 250;

/** Throws the readers' Faults, such as `input_incomplete` for a body that ends in the middle of a row. */
export async function* readBody(
  reading: Reading,
  body: Response | ReadableStream<Uint8Array>,
  as: ReadAs = {},
): AsyncGenerator<FetchedRows, void> {
  const { hub, connection, connector, entity } = reading;
  const source = await openBody(reading, body, as);
  const customFields = await loadCustomFields(hub.db, connection.organizationId);
  const columns = columnsOf(
    { connection, connector, customFields },
    entity,
    fixedKey({ hub, connection }),
    isApart(source),
  );
  const settings = parseSettings(connector, connection.settings) as Record<string, unknown>;
  const maxPackedBytes = hub.maxPackedBytes ?? MAX_PACKED_BYTES;
  const options = optionsOf(settings, source, { maxPackedBytes, isHeader: columns.canBe });
  yield* readPages(source, options);
}

/** A body that is open, by the hub's readers. */
export async function* readPages(source: DropSource, options: ReadOptions): AsyncGenerator<FetchedRows, void> {
  const report: ReadReport = { delimiter: null, endsWithLineEnd: true };
  for await (const block of readDrop(source, options, report)) {
    for (const rows of pagesOf(block)) {
      yield { origin: `${source.name}, from line ${rows[0]!.line}`, records: rows.map(recordOf) };
    }
  }
}

function* pagesOf(block: RowBlock): Generator<Row[], void> {
  for (let from = 0; from < block.count; from += AT_ONCE) {
    yield block.rows(Array.from({ length: Math.min(AT_ONCE, block.count - from) }, (_, i) => from + i));
  }
}

/** By column. Fails with `source_unreadable` for a row that cannot be read: a record has no place to say so. */
function recordOf({ columns, cells, line, broken }: Row): FetchedRows["records"][number] {
  if (broken !== undefined) throw new Fault("source_unreadable", `Line ${line}: ${broken.message}`);
  if (cells.length > columns.length) {
    const message = `Line ${line} of the source has ${cells.length} cells, and the header has ${columns.length}`;
    throw new Fault("source_unreadable", message);
  }
  return Object.fromEntries(cells.flatMap((cell, i) => cell === undefined ? [] : [[columns[i]!, cell]]));
}

/** The body as a drop, decrypted if it is encrypted. It may be opened once. */
async function openBody(
  { hub, connection }: Reading,
  body: Response | ReadableStream<Uint8Array>,
  { contentType, name = "body" }: ReadAs,
): Promise<DropSource> {
  const isResponse = body instanceof Response;
  const stream = (isResponse ? body.body : body) ?? new Blob([]).stream();
  const about = {
    name: name.slice(0, MAX_NAME),
    contentType: contentType ?? (isResponse ? body.headers.get("content-type") : null) ?? "application/octet-stream",
  };
  const bytes = (stream as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const head = await peek(bytes, HEAD_BYTES);
  const beginning = { ...about, bytes: head.length, open: () => new Blob([head as Uint8Array<ArrayBuffer>]).stream() };
  if (!await isEncryptedDrop(beginning)) {
    return { ...about, bytes: 0, open: () => streamOf(resume(head, bytes)) };
  }
  const whole = await collect(resume(head, bytes), about.name);
  const encrypted = { ...about, bytes: whole.length, open: () => new Blob([whole]).stream() };
  return await openAndProve(
    hub,
    { organizationId: connection.organizationId, connectionId: connection.id },
    encrypted,
    {
      signatureRequired: resolvePolicy(connection, hub).signature === "required",
      onProgress: () => Promise.resolve(),
    },
  );
}

async function collect(bytes: AsyncIterator<Uint8Array>, name: string): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let next = await bytes.next(); !next.done; next = await bytes.next()) {
    size += next.value.length;
    if (size > MAX_ENCRYPTED_BYTES) {
      throw new Fault("too_large", `"${name}" is encrypted, and over its limit of ${MAX_ENCRYPTED_BYTES} bytes`);
    }
    parts.push(next.value);
  }
  return concatBytes(...parts);
}
