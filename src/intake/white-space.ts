/**
 * White space in UTF-8 bytes: what `String.prototype.trim` removes, line ends aside, so that bytes and text agree. No I/O.
 */

const TAB = 0x09, LF = 0x0a, CR = 0x0d, SPACE = 0x20;

/** How many bytes a character of white space has at most. */
export const MAX_SPACE_BYTES = 3;

/** How many bytes the white space has that begins at `i`, before `end`: one character's, or 0 for anything else. */
export function spaceAt(bytes: Uint8Array, i: number, end: number): number {
  if (i >= end) return 0;
  const byte = bytes[i]!;
  if (byte === SPACE || (byte >= TAB && byte < CR && byte !== LF)) return 1;
  if (byte < 0xc2) return 0;
  if (byte === 0xc2) return i + 1 < end && bytes[i + 1] === 0xa0 ? 2 : 0;
  if (byte > 0xef || i + 2 >= end) return 0;
  const point = (byte & 0x0f) << 12 | (bytes[i + 1]! & 0x3f) << 6 |
    (bytes[i + 2]! & 0x3f);
  return byte >= 0xe0 && isWideSpace(point) ? 3 : 0;
}

function isWideSpace(point: number): boolean {
  return (point >= 0x2000 && point <= 0x200a) || point === 0x2028 ||
    point === 0x2029 || point === 0x202f ||
    point === 0x205f || point === 0x3000 || point === 0x1680 ||
    point === 0xfeff;
}

/** Whether nothing but white space is between `i` and the delimiter before it, or `start` where there is none. */
export function isCellStart(bytes: Uint8Array, start: number, i: number, delimiter: number): boolean {
  let at = i;
  while (at > start && bytes[at - 1] !== delimiter) {
    const before = at - 1;
    if (spaceAt(bytes, before, at) === 1) at--;
    else if (bytes[before]! < 0x80) return false;
    else if (at - 2 >= start && spaceAt(bytes, at - 2, at) === 2) at -= 2;
    else if (at - 3 >= start && spaceAt(bytes, at - 3, at) === 3) at -= 3;
    else return false;
  }
  return true;
}
