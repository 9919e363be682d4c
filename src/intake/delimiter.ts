/**
 * Detects the delimiter by the shapes of an input's first records: how many cells each would have. No I/O. No clock.
 *
 * Quotes are respected. A tie is a Fault and not a guess; text without any delimiter in its header has one column.
 */
import { Fault } from "../model/errors.ts";
import { countCells } from "./cells.ts";
import { createCutter, cutRecords } from "./cut.ts";
import type { Window } from "./window.ts";

export type Delimiter = "," | ";" | "\t" | "|";

export const DELIMITERS: readonly Delimiter[] = [",", ";", "\t", "|"];
const NAMES: Readonly<Record<Delimiter, string>> = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar" };
const SAMPLE_RECORDS = 500;

interface Shape {
  readonly delimiter: Delimiter;
  /** Cells of the header; 0 where its quotes are broken under this delimiter. */
  readonly header: number;
  /** Share, 0 to 1, of the other records that have as many cells as the header. */
  readonly asHeader: number;
  /** Share, 0 to 1, of the other records that have the most common number of cells. */
  readonly asMost: number;
}

/**
 * The delimiter of the text that begins with this window, or null for one column. A record that goes on behind the
 * window is ignored. Undefined: the window does not hold one whole record.
 */
export function detectDelimiter(window: Window, maxRowBytes: number): Delimiter | null | undefined {
  const shapes = DELIMITERS.flatMap((delimiter) => shapeOf(window, maxRowBytes, delimiter) ?? []);
  if (shapes.length === 0) return window.last ? null : undefined;
  const [best, second] = shapes.filter((shape) => shape.header > 1).sort(compare);
  if (best === undefined) return brokenHeader(window.bytes, shapes.filter((shape) => shape.header === 0));
  if (second !== undefined && compare(best, second) === 0) {
    throw new Fault(
      "delimiter_ambiguous",
      `The delimiter could be "${shown(best)}" (${NAMES[best.delimiter]}) or "${shown(second)}" ` +
        `(${NAMES[second.delimiter]}): both cut every row alike; set the connection's delimiter`,
    );
  }
  return best.delimiter;
}

function compare(a: Shape, b: Shape): number {
  return b.asHeader - a.asHeader || b.asMost - a.asMost;
}

function shown(shape: Shape): string {
  return shape.delimiter === "\t" ? "\\t" : shape.delimiter;
}

/**
 * Chooses among delimiters that break the header's quotes, as none cuts it well: the most frequent one. Reading with it
 * then reports what is wrong, and on which line.
 */
function brokenHeader(bytes: Uint8Array, shapes: readonly Shape[]): Delimiter | null {
  const end = bytes.findIndex((byte) => byte === 0x0a || byte === 0x0d);
  return mostFrequent(bytes.subarray(0, end < 0 ? bytes.length : end), shapes.map(({ delimiter }) => delimiter));
}

/** The delimiter that is in these bytes most often. Null: there is none. */
export function mostFrequent(bytes: Uint8Array, among: readonly Delimiter[] = DELIMITERS): Delimiter | null {
  let most: Delimiter | null = null;
  let times = 0;
  for (const delimiter of among) {
    const n = bytes.filter((byte) => byte === delimiter.charCodeAt(0)).length;
    if (n > times) {
      most = delimiter;
      times = n;
    }
  }
  return most;
}

/** Null: the window does not hold one whole record. */
function shapeOf(window: Window, maxRowBytes: number, delimiter: Delimiter): Shape | null {
  const code = delimiter.charCodeAt(0);
  const cutter = createCutter(code, maxRowBytes);
  const counts: number[] = [];
  try {
    for (let from = 0; counts.length < SAMPLE_RECORDS;) {
      const cuts = cutRecords(cutter, window, from, 1);
      if (cuts.count === 0) break;
      counts.push(countCells(window.bytes, cuts.starts[0]!, cuts.ends[0]!, code));
      from = cuts.used;
    }
  } catch (fault) {
    // The records before a broken one still have a shape. Reading will report the broken one.
    if (!(fault instanceof Fault)) throw fault;
    if (counts.length === 0) return { delimiter, header: 0, asHeader: 0, asMost: 0 };
  }
  const [header, ...others] = counts;
  if (header === undefined) return null;
  const most = commonest(others);
  return {
    delimiter,
    header,
    asHeader: share(others, (count) => count === header),
    asMost: share(others, (count) => count > 1 && count === most),
  };
}

function share(counts: readonly number[], holds: (count: number) => boolean): number {
  return counts.length === 0 ? 0 : counts.filter(holds).length / counts.length;
}

function commonest(counts: readonly number[]): number {
  const times = new Map<number, number>();
  for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1);
  return [...times].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0] ?? 0;
}
