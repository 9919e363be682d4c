/**
 * A cycle in words, from one of its members round to that one again: `Ana → Bo → Ana`. Of a long one the beginning, as
 * each of its members has it in a message of its own. Pure.
 */

const MAX_NAMED = 10;

/** `start`: the place in `path` to begin at. */
export function pathInWords(path: readonly number[], start: number, nameOf: (id: number) => string): string {
  const shown = Array.from(
    { length: Math.min(path.length, MAX_NAMED) },
    (_, step) => nameOf(path[(start + step) % path.length]!),
  );
  const more = path.length - shown.length;
  return [...shown, ...(more === 0 ? [] : [`${more} more`]), shown[0]].join(" → ");
}
