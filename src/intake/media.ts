/**
 * Chooses the reader that a drop needs, and reads the drop with it: the only way from a drop to rows.
 *
 * Workbooks, gzip and archives are recognized by their content alone. For text the declared content type counts first, then
 * the file's name, then its first bytes. No clock; no I/O but the drop's stream.
 */
import type { DropSource } from "../connector.ts";
import type { ReadOptions, ReadReport } from "./reading.ts";
import type { RowBlock } from "../model/record.ts";
import { readCsv } from "./csv.ts";
import { resume } from "./encoding.ts";
import { readJson } from "./json.ts";
import { readNdjson } from "./ndjson.ts";
import { refuseOtherKind } from "./other-kinds.ts";
import { openPacked } from "./packed.ts";

export type Reader = "csv" | "json" | "ndjson";

/**
 * Content types that identify a format. `text/plain`, `application/octet-stream`, and Excel's type, which browsers give
 * to CSV, do not.
 */
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

/**
 * The type of records that are read each by itself, as a program posts them: one that cannot be read is a broken row, and
 * costs no other its result.
 */
export const RECORDS_APART = "application/json; records=apart";

/** Whether the drop's records are read each by itself. */
export function isApart({ contentType }: Pick<DropSource, "contentType">): boolean {
  return contentType === RECORDS_APART;
}

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

/** `head`: the first bytes, a hundred or more if the drop has as many. */
export function pickReader(source: Pick<DropSource, "name" | "contentType">, head: Uint8Array): Reader {
  const declared = BY_TYPE[source.contentType.toLowerCase().split(";", 1)[0]!.trim()];
  if (declared !== undefined) return declared;
  // Encryption appends an extension of its own: users.csv.pgp
  const name = source.name.toLowerCase().replace(/(?:\.(?:pgp|gpg|asc))+$/, "");
  const named = BY_EXTENSION[/\.([^.]+)$/.exec(name)?.[1] ?? ""];
  if (named !== undefined) return named;
  // Only ASCII matters here, and UTF-16 without its zeros looks the same.
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
  const opened = await openPacked(drop.name, iterator, options);
  if (opened.kind === "workbook") {
    // Most files are text, and what reads a workbook takes its time to load.
    const { readSheetRows } = await import("./workbook/read.ts");
    return yield* readSheetRows(opened.entries, options, report);
  }
  const { name, head, rest } = opened;
  const kind = pickReader({ ...drop, name }, head);
  try {
    refuseOtherKind(head, kind);
  } catch (fault) {
    await rest.return?.();
    throw fault;
  }
  const reader = { csv: readCsv, json: readJson, ndjson: readNdjson }[kind];
  yield* reader(resume(head, rest), options, report);
}
