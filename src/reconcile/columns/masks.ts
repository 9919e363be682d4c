/** Which cells of a row are filled, as bits by field: of the rows that are read, and of those that were applied last. */
import { type Cell, type Fields, USER_FIELDS } from "../../model/record.ts";
import { type Known, linkOfUser } from "./known.ts";

/** Whether the field's cell was filled in the last row of this user, as far as the row's digest is still known. */
export function wasFilled(known: Known, userId: number, field: (typeof USER_FIELDS)[number]): boolean {
  const ordinal = linkOfUser(known, userId);
  return ordinal !== null && (known.masks[ordinal]! & (1 << USER_FIELDS.indexOf(field))) !== 0;
}

/**
 * A bit for each field whose filled cells are counted: built-in ones and the first custom ones, in any column order.
 */
export function fieldBits(customKeys: readonly string[]): Map<string, number> {
  const fields = [...USER_FIELDS, ...[...customKeys].sort()].slice(0, 31);
  return new Map(fields.map((field, bit) => [field, bit]));
}

export function maskOf(cells: readonly Cell[], fields: Fields, bits: ReadonlyMap<string, number>): number {
  let mask = 0;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    const cell = cells[i];
    if (field === null || cell === undefined || cell === null || cell === "") continue;
    const bit = bits.get(field);
    if (bit !== undefined) mask |= 1 << bit;
  }
  return mask;
}

/** Columns in the order of their fields' names, so that a row has one digest in any order of columns. */
export function canonicalOrder(fields: Fields): number[] {
  return fields.map((field, column) => ({ field, column })).filter(({ field }) => field !== null)
    .sort((a, b) => (a.field! < b.field! ? -1 : 1)).map(({ column }) => column);
}
