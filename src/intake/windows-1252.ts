/** Windows-1252 to UTF-8 or text, without the runtime's help: not every runtime has it, and some decode it as Latin-1. */

/** The characters of 0x80 to 0x9F, NUL for the five that are undefined. All other bytes are as in Latin-1. */
const UPPER = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";

/** The UTF-8 of these bytes; null where one of them is NUL, or is not defined. */
export function encodeWindows1252(bytes: Uint8Array): Uint8Array | null {
  const out = new Uint8Array(3 * bytes.length);
  let used = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    const point = byte >= 0x80 && byte < 0xa0 ? UPPER.charCodeAt(byte - 0x80) : byte;
    if (point === 0) return null;
    if (point < 0x80) out[used++] = point;
    else if (point < 0x800) {
      out[used++] = 0xc0 | (point >> 6);
      out[used++] = 0x80 | (point & 0x3f);
    } else {
      out[used++] = 0xe0 | (point >> 12);
      out[used++] = 0x80 | ((point >> 6) & 0x3f);
      out[used++] = 0x80 | (point & 0x3f);
    }
  }
  return out.subarray(0, used);
}
