/**
 * UTF-16 and Windows-1252 to UTF-8, chunk by chunk. Chunks may be cut anywhere. Every byte is checked. No I/O. No
 * clock.
 */
import { Fault } from "../model/errors.ts";
import { concatBytes } from "../std/typed-arrays.ts";

const encoder = new TextEncoder();

/**
 * `chunks` begin after the byte order mark. Half of a surrogate pair, U+0000 and half of a unit are Faults that name
 * their offset.
 */
export async function* fromUtf16(
  chunks: AsyncIterable<Uint8Array>,
  bigEndian: boolean,
): AsyncGenerator<Uint8Array, void> {
  const decoder = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });
  let offset = 2;
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    const piece = concatBytes(rest, chunk);
    // Whole units and whole pairs only, so that each piece is valid or invalid by itself.
    let whole = piece.length & ~1;
    if (whole > 0 && (unitAt(piece, whole - 2, bigEndian) & 0xfc00) === 0xd800) whole -= 2;
    rest = piece.slice(whole);
    if (whole === 0) continue;
    checkUnits(piece, whole, bigEndian, offset);
    if (bigEndian) { for (let i = 0; i < whole; i += 2) [piece[i], piece[i + 1]] = [piece[i + 1]!, piece[i]!]; }
    offset += whole;
    yield encoder.encode(decoder.decode(piece.subarray(0, whole)));
  }
  if (rest.length > 0) {
    throw new Fault("input_incomplete", `The input ends inside a character, at offset ${offset + rest.length}`);
  }
}

/** Throws for a unit of `bytes[0, end)` that cannot be in a text. `offset`: where the bytes are in the input. */
function checkUnits(bytes: Uint8Array, end: number, bigEndian: boolean, offset: number): void {
  for (let i = 0; i < end; i += 2) {
    const unit = unitAt(bytes, i, bigEndian);
    if (unit === 0) {
      throw new Fault(
        "encoding_invalid",
        `Character U+0000 at offset ${offset + i} is not text, it looks like a binary file: ` +
          `save the file as "CSV UTF-8"`,
      );
    }
    if ((unit & 0xf800) !== 0xd800) continue;
    const next = i + 2 < end ? unitAt(bytes, i + 2, bigEndian) : 0;
    if (unit >= 0xdc00 || (next & 0xfc00) !== 0xdc00) {
      throw new Fault(
        "encoding_invalid",
        `Half a character (0x${unit.toString(16).toUpperCase()}) at offset ${offset + i} is not UTF-16: ` +
          `save the file as "CSV UTF-8"`,
      );
    }
    i += 2;
  }
}

function unitAt(bytes: Uint8Array, i: number, bigEndian: boolean): number {
  return bigEndian ? (bytes[i]! << 8) | bytes[i + 1]! : bytes[i]! | (bytes[i + 1]! << 8);
}

/** The characters of 0x80 to 0x9F, NUL for the five that are undefined. All other bytes are as in Latin-1. */
const WINDOWS_1252 = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";

/** NUL, and the five bytes that Windows-1252 does not define, are Faults: the text has another encoding. */
export async function* fromWindows1252(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let offset = 0;
  for await (const chunk of chunks) {
    const out = new Uint8Array(3 * chunk.length);
    let used = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      const point = byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252.charCodeAt(byte - 0x80) : byte;
      if (point === 0) {
        throw new Fault(
          "encoding_invalid",
          `Byte 0x${byte.toString(16).toUpperCase().padStart(2, "0")} at offset ${offset + i} is not Windows-1252: ` +
            `save the file as "CSV UTF-8", and set the connection's encoding to "auto"`,
        );
      }
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
    offset += chunk.length;
    yield out.subarray(0, used);
  }
}
