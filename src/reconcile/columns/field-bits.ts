/** The fields of which digests keep whether a row's cell was filled, as the bits of a number. No I/O. */
import { type Cell, type Fields, USER_FIELDS } from "../../model/record.ts";
import { type Known, linkOfUser } from "./known.ts";

/** Bit 31 of a row's mask is used otherwise. */
export const MAX_BITS = 31;

/** A bit for each field: built-in ones, whose bits never change, and the first custom ones. */
export function fieldBits(customKeys: Iterable<string>): Map<string, number> {
  const fields = [...USER_FIELDS, ...[...customKeys].sort()].slice(0, MAX_BITS);
  return new Map(fields.map((field, bit) => [field, bit]));
}

export interface Masks {
  /** Bits of the mapped fields whose cells are not empty. */
  filled: number;
  /** The same of those whose cells are there, empty or not. */
  given: number;
}

/** Writes the masks of a row into `masks`. */
export function maskCells(
  cells: readonly Cell[],
  fields: Fields,
  bits: ReadonlyMap<string, number>,
  masks: Masks,
): void {
  let filled = 0, given = 0;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    const cell = cells[i];
    if (field === null || cell === undefined) continue;
    const bit = bits.get(field);
    if (bit === undefined) continue;
    given |= 1 << bit;
    if (cell !== null && cell !== "") filled |= 1 << bit;
  }
  masks.filled = filled;
  masks.given = given;
}

/** Rows that were passed over. */
export interface PassedOver {
  /** Of active people. */
  readonly active: number;
  /** Their non-empty cells, by bit. */
  readonly filledOfActive: Float64Array;
  /** Of others, with a leaving date. */
  readonly leaversDated: number;
}

/** Whether the field's cell was filled in the last row of this user, as far as the row's digest is still known. */
export function wasFilled(known: Known, userId: number, field: (typeof USER_FIELDS)[number]): boolean {
  const ordinal = linkOfUser(known, userId);
  return ordinal !== null && (known.masks[ordinal]! & (1 << USER_FIELDS.indexOf(field))) !== 0;
}

/** The fields that were filled in the last row of this user, by bit; 0: that is not known. */
export function lastFilled(known: Known, userId: number): number {
  const ordinal = linkOfUser(known, userId);
  return ordinal === null ? 0 : known.masks[ordinal]!;
}
