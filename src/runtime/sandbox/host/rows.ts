/** Rows of a connector: the pages of its `fetch`, and its `normalize`. */
import type { RowsToNormalize } from "../../../hub.ts";
import { noRecordOf } from "../../../runs/no-record.ts";
import { contextFor } from "./context.ts";
import { Misuse } from "./misuse.ts";
import { faultText, stringify, write, writeText } from "./pipe.ts";
import type { AnyFunction, Loaded } from "./settings.ts";

const fetches = new Map<number, AsyncIterator<unknown>>();
/** Parts of a page that is too long for one message. */
const parts = new Map<number, unknown[]>();
const RECORDS_AT_ONCE = 500;

export function beginFetch(connector: Loaded, of: number, given: Record<string, unknown>): void {
  const pages = (connector.fetch as AnyFunction)(contextFor(of, given)) as Partial<AsyncIterable<unknown>> | null;
  if (typeof pages?.[Symbol.asyncIterator] !== "function") throw new Misuse("generator", connector.fetch);
  fetches.set(of, pages[Symbol.asyncIterator]!());
}

/** Writes the next page of the fetch `of`, or what it returned. */
export async function nextPage(connector: Loaded, of: number): Promise<void> {
  const left = parts.get(of)?.shift();
  if (left !== undefined) return writePage(connector, of, left);
  const { done, value } = await fetches.get(of)!.next();
  if (!done) {
    if (!isPage(value)) throw new Misuse("page", connector.fetch);
    const [first, ...others] = cut(value);
    parts.set(of, others);
    return writePage(connector, of, first);
  }
  fetches.delete(of);
  parts.delete(of);
  write({ value: of, is: value });
}

/** Fails with a Misuse where it is no JSON. */
function writePage(connector: Loaded, of: number, page: unknown): void {
  let text: string;
  try {
    text = stringify(page);
  } catch {
    throw new Misuse("json", connector.fetch);
  }
  writeText(`{"page":${of},"is":${text}}`);
}

function isPage(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { origin, records, allOfDrop } = value as Record<string, unknown>;
  return allOfDrop === true ||
    (Array.isArray(records) && (origin === undefined || origin === null || typeof origin === "string"));
}

function cut(page: unknown): unknown[] {
  const records = (page as { records?: unknown } | null)?.records;
  if (!Array.isArray(records) || records.length <= RECORDS_AT_ONCE) return [page];
  return Array.from({ length: Math.ceil(records.length / RECORDS_AT_ONCE) }, (_, i) => ({
    ...page as object,
    records: records.slice(i * RECORDS_AT_ONCE, (i + 1) * RECORDS_AT_ONCE),
  }));
}

/** Written as text, row by row, so that one record that is no JSON does no harm to the others. */
export function normalize(connector: Loaded, of: number, { columns, rows, context }: RowsToNormalize): void {
  const done = rows.map(([line, origin, given, absent = []]) => {
    try {
      // JSON has no way of saying that a cell is not there.
      const cells = absent.length === 0 ? given : given.map((cell, place) => absent.includes(place) ? undefined : cell);
      const record = (connector.normalize as AnyFunction)({ line, origin, columns, cells }, context);
      return `{"record":${stringify(requireRecord(record, connector.normalize))}}`;
    } catch (error) {
      return stringify({ threw: faultText(error) });
    }
  });
  writeText(`{"value":${of},"is":[${done.join()}]}`);
}

function requireRecord(value: unknown, by: unknown): object {
  const none = noRecordOf(value);
  if (none !== null) throw new Misuse(none, by);
  for (const cell of Object.values(value as object)) {
    // JSON would make them null, which empties a field.
    if (typeof cell === "number" && !Number.isFinite(cell)) throw new RangeError("normalize gave a number without end");
  }
  return value as object;
}
