/**
 * A cycle in words, from one of its members back to that member: `Ana → Bo → Ana`. Long cycles are cut, as the message
 * of each member has one. Pure.
 */
import type { Piece } from "../../model/record.ts";

const MAX_NAMED = 10;

/** `start`: index in `path` of the first member to name. */
export function pathInWords(path: readonly number[], start: number, nameOf: (id: number) => Piece): Piece[] {
  const shown = Array.from(
    { length: Math.min(path.length, MAX_NAMED) },
    (_, step) => nameOf(path[(start + step) % path.length]!),
  );
  const more = path.length - shown.length;
  const all = [...shown, ...(more === 0 ? [] : [`${more} more`]), shown[0]!];
  return all.flatMap((piece, place) => place === 0 ? [piece] : [" → ", piece]);
}
