/** What the hub makes of rows: by its own readers, columns and dictionary, and the connector's `normalize`. */
import assert from "node:assert/strict";
import type { Cell, Entity, SourceRecord } from "../../model/record.ts";
import { MAX_PACKED_BYTES } from "../../runs/input.ts";
import { readDropOf } from "../../runs/read-drop.ts";
import type { OriginMark } from "../../store/connections/schema-sources.ts";
import type { Read } from "./read.ts";
import { connectionOf, TODAY, type Tried } from "./tried.ts";

/** Rows that were fetched. Fails if one of them cannot be read. */
export async function recordsOf(
  tried: Tried,
  { rows, origins }: Pick<Read, "rows" | "origins">,
  entity: Entity,
): Promise<Record<string, unknown>[]> {
  if (rows.length === 0) return [];
  const name = "rows.ndjson", contentType = "application/x-ndjson";
  return await readAll(tried, { name, contentType, content: rows }, origins, entity);
}

/** Rows of the drop of the cases. */
export async function recordsOfDrop(tried: Tried): Promise<Record<string, unknown>[]> {
  const { drop } = tried.cases;
  assert.ok(drop !== undefined, 'The cases have no "drop"');
  return await readAll(tried, drop, null, "users");
}

async function readAll(
  { connector, cases }: Tried,
  { name, contentType = "application/octet-stream", content }: NonNullable<Tried["cases"]["drop"]>,
  origins: readonly OriginMark[] | null,
  entity: Entity,
): Promise<Record<string, unknown>[]> {
  const blob = new Blob([content as BlobPart]);
  const reading = await readDropOf(
    {
      connection: connectionOf(cases),
      connector,
      drop: { name, contentType, bytes: blob.size, open: () => blob.stream() },
      origins,
      customFields: [],
      today: TODAY,
      signal: new AbortController().signal,
      maxPackedBytes: MAX_PACKED_BYTES,
    },
    entity,
    entity === "users" ? connector.key ?? null : null,
  );
  const records: Record<string, unknown>[] = [];
  for await (const block of reading.rows()) {
    for (const row of await block.rows(Array.from({ length: block.count }, (_, i) => i))) {
      assert.equal(row.broken, undefined, `A row cannot be read: ${row.broken?.message}`);
      records.push(plain(reading.normalize(row)));
    }
  }
  return records;
}

/** Without what is absent. */
function plain(record: SourceRecord): Record<string, unknown> {
  return JSON.parse(JSON.stringify(record));
}

/** The rows of a read as the connector gave them. */
export function rawRows({ rows }: Pick<Read, "rows">): Record<string, Cell>[] {
  return new TextDecoder().decode(rows).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
