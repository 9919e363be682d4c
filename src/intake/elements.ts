/**
 * Objects found in a window of JSON, as a block of rows. Rows are parsed only on demand, all requested ones in one go.
 * No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";
import type { Cell, Issue, Row, RowBlock } from "../model/record.ts";
import { digestBytes } from "./digest.ts";
import { findJsonError } from "./json-error.ts";
import { joinRecords, type Slices } from "./join.ts";
import { jsonFault, nameRecord, type Place } from "./keyring.ts";
import type { ReadOptions } from "./reading.ts";
import { recordInvalid, recordTooLarge } from "./record-issues.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Objects, numbered from `first` by their position in the input. */
export interface Elements extends Slices {
  /** Where `bytes[0]` is in the input. */
  readonly offset: number;
  readonly first: number;
}

/** What an element may have that is read apart from the others. */
export type ElementLimits = Pick<ReadOptions, "maxRowBytes" | "maxColumns">;

/**
 * `columns` and `shapes`: all keys of the input so far, and which are together. Later blocks may append more. `apart`:
 * elements over these limits, and what is not an object, are broken rows; null: the reader has refused them.
 */
export function createElementBlock(
  columns: readonly string[],
  shapes: readonly (readonly number[])[],
  elements: Elements,
  apart: ElementLimits | null = null,
): RowBlock {
  const { bytes, first, starts, ends } = elements;
  const rowOf = (object: Record<string, Cell>, index: number): Row => ({
    line: first + index,
    origin: null,
    columns,
    cells: columns.map((column) => (Object.hasOwn(object, column) ? object[column] : undefined)),
  });
  return {
    columns,
    count: starts.length,
    shapes,
    digest: (index, salt, out, at) => digestBytes(bytes, starts[index]!, ends[index]!, salt, out, at),
    rows: (indexes) =>
      apart === null
        ? parseElements(elements, indexes).map((object, n) => rowOf(object, indexes[n]!))
        : Array.from(indexes, (index) => {
          const { record, broken } = parseApart(elements, index, apart);
          return broken === null ? rowOf(record, index) : { ...rowOf({}, index), broken };
        }),
    line: (index) => first + index,
  };
}

type Parsed =
  | { readonly record: Record<string, Cell>; readonly broken: null }
  | { readonly record: null; readonly broken: Issue };

/** The record, or why it cannot be used. */
function parseApart(
  elements: Elements,
  index: number,
  { maxRowBytes, maxColumns }: ElementLimits,
): Parsed {
  const because = (broken: Issue): Parsed => ({ record: null, broken });
  const { bytes, starts, ends } = elements;
  const size = ends[index]! - starts[index]!;
  if (size > maxRowBytes) return because(recordTooLarge(`${size} bytes`, `${maxRowBytes} bytes`));
  if (bytes[starts[index]!] !== 0x7b) return because(recordInvalid("is not an object"));
  let record: Record<string, Cell>;
  try {
    [record] = parseElements(elements, [index]) as [Record<string, Cell>];
  } catch (fault) {
    if (!(fault instanceof Fault) || fault.code !== "json_invalid") throw fault;
    return because(recordInvalid("has half a character: both \\u escapes are needed"));
  }
  const keys = Object.keys(record).length;
  return keys > maxColumns ? because(recordTooLarge(`${keys} keys`, `${maxColumns} keys`)) : { record, broken: null };
}

function parseElements(elements: Elements, indexes: ArrayLike<number>): Record<string, Cell>[] {
  try {
    const text = joinRecords(elements, indexes, 0x2c);
    const objects = JSON.parse(`[${text.slice(0, -1)}]`) as Record<string, Cell>[];
    // Half of a surrogate pair can only come from an escape.
    if (/\\u[dD][89a-fA-F]/.test(text)) refuseHalfCharacters(objects, elements, indexes);
    return objects;
  } catch (cause) {
    if (cause instanceof Fault && cause.code === "json_invalid") throw cause;
    for (let n = 0; n < indexes.length; n++) refuseInvalid(elements, indexes[n]!);
    throw cause;
  }
}

/** Throws for an element that is not JSON, with the place of the error in the input. */
function refuseInvalid(elements: Elements, i: number): void {
  const place = placeOf(elements, i);
  const text = decodeUtf8(elements.bytes, place.start, elements.ends[i]!, elements.offset, false, place.record);
  const error = findJsonError(text);
  if (error === null) return;
  const at = place.start + new TextEncoder().encode(text.slice(0, error.at)).length;
  throw jsonFault(place, at, error.what);
}

function refuseHalfCharacters(
  objects: readonly Record<string, Cell>[],
  elements: Elements,
  indexes: ArrayLike<number>,
): void {
  const half = /[\uD800-\uDFFF]/u;
  objects.forEach((object, n) => {
    for (const [key, value] of Object.entries(object)) {
      if (typeof value !== "string" || !half.test(value)) continue;
      const place = placeOf(elements, indexes[n]!);
      throw new Fault(
        "json_invalid",
        `${nameRecord(place)} has half a character in "${key}": both \\u escapes are needed`,
        { line: place.record },
      );
    }
  });
}

function placeOf({ first, starts, offset }: Elements, i: number): Place {
  return { record: first + i, start: starts[i]!, offset };
}
