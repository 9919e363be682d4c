/**
 * Which reader a drop needs, and the drop read with it: the one door from a drop to rows.
 *
 * What the sender declared counts first, then the file's name, then its first bytes. No clock; no I/O but the drop's stream.
 */
import type { DropSource } from "../connector.ts";
import type { ReadOptions, ReadReport } from "./reading.ts";
import type { RowBlock } from "../model/record.ts";
import { readCsv } from "./csv.ts";
import { readJson } from "./json.ts";
import { readNdjson } from "./ndjson.ts";

export type Reader = "csv" | "json" | "ndjson";

/** Types that say something. `text/plain`, `application/octet-stream`, and Excel's type, which browsers give to CSV, say nothing. */
const BY_TYPE: Readonly<Record<string, Reader>> = {
  "text/csv": "csv",
  "application/csv": "csv",
  "text/tab-separated-values": "csv",
  "application/json": "json",
  "text/json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "application/x-jsonlines": "ndjson",
};

const BY_EXTENSION: Readonly<Record<string, Reader>> = {
  csv: "csv",
  tsv: "csv",
  tab: "csv",
  txt: "csv",
  json: "json",
  ndjson: "ndjson",
  jsonl: "ndjson",
};

const ENVELOPE = /^\{\s*(?:"(?:users|departments)"\s*:|$)/;

/** `head`: the first bytes, some hundred or more, if there are as many. */
export function pickReader(source: Pick<DropSource, "name" | "contentType">, head: Uint8Array): Reader {
  const declared = BY_TYPE[source.contentType.toLowerCase().split(";", 1)[0]!.trim()];
  if (declared !== undefined) return declared;
  // What encrypted a file leaves its own extension behind: users.csv.pgp
  const name = source.name.toLowerCase().replace(/(?:\.(?:pgp|gpg|asc))+$/, "");
  const named = BY_EXTENSION[/\.([^.]+)$/.exec(name)?.[1] ?? ""];
  if (named !== undefined) return named;
  // ASCII is all that matters here; without its zeros UTF-16 looks the same.
  const text = String.fromCharCode(...head.subarray(0, 1024).filter((byte) => byte > 0 && byte < 0x7f)).trim();
  if (text.startsWith("[")) return "json";
  if (text.startsWith("{")) return ENVELOPE.test(text) ? "json" : "ndjson";
  return "csv";
}

/** Reads a drop by the reader it needs. Fills `report`; throws the reader's Faults. Each call opens the drop anew. */
export async function* readDrop(
  drop: DropSource,
  options: ReadOptions,
  report: ReadReport,
): AsyncGenerator<RowBlock, void> {
  const iterator = (drop.open() as unknown as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let size = 0;
  while (size < 1024) {
    const chunk = await iterator.next();
    if (chunk.done) break;
    held.push(chunk.value);
    size += chunk.value.length;
  }
  const head = new Uint8Array(size);
  let used = 0;
  for (const chunk of held) {
    head.set(chunk, used);
    used += chunk.length;
  }
  const reader = { csv: readCsv, json: readJson, ndjson: readNdjson }[pickReader(drop, head)];
  yield* reader(resumed(head, iterator), options, report);
}

/** What was looked at, then the rest; letting go of it lets go of the drop. */
async function* resumed(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    if (head.length > 0) yield head;
    for (let chunk = await rest.next(); !chunk.done; chunk = await rest.next()) yield chunk.value;
  } finally {
    await rest.return?.();
  }
}
