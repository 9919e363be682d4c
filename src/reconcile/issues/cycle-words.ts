/**
 * A cycle in words, from one of its members round to that one again: `Ana → Bo → Ana`. Of a long one the beginning, as
 * each of its members has it in a message of its own. Pure.
 */
import type { Piece } from "../../model/record.ts";

const MAX_NAMED = 10;

/** `start`: the place in `path` to begin at. */
export function pathInWords(path: readonly number[], start: number, nameOf: (id: number) => Piece): Piece[] {
  const shown = Array.from(
    { length: Math.min(path.length, MAX_NAMED) },
    (_, step) => nameOf(path[(start + step) % path.length]!),
  );
  const more = path.length - shown.length;
  const all = [...shown, ...(more === 0 ? [] : [`${more} more`]), shown[0]!];
  return all.flatMap((piece, place) => place === 0 ? [piece] : [" → ", piece]);
}
