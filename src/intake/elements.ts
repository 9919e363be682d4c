/**
 * Objects found in a window of JSON, as a block of rows. Rows are parsed only on demand, all requested ones in one go.
 * No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";
import type { Cell, Row, RowBlock } from "../model/record.ts";
import { digestBytes } from "./digest.ts";
import { findJsonError } from "./json-error.ts";
import { joinRecords, type Slices } from "./join.ts";
import { jsonFault, nameRecord, type Place } from "./keyring.ts";
import { decodeUtf8 } from "./utf8.ts";

/** Objects, numbered from `first` by their position in the input. */
export interface Elements extends Slices {
  /** Where `bytes[0]` is in the input. */
  readonly offset: number;
  readonly first: number;
}

/** `columns`: all keys of the input so far. Later blocks may append more. */
export function createElementBlock(columns: readonly string[], elements: Elements): RowBlock {
  const { bytes, first, starts, ends } = elements;
  return {
    columns,
    count: starts.length,
    digest: (index, salt, out, at) => digestBytes(bytes, starts[index]!, ends[index]!, salt, out, at),
    rows: (indexes) =>
      parseElements(elements, indexes).map((object, n): Row => ({
        line: first + indexes[n]!,
        origin: null,
        columns,
        cells: columns.map((column) => (Object.hasOwn(object, column) ? object[column] : undefined)),
      })),
    line: (index) => first + index,
  };
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
