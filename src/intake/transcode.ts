/**
 * UTF-16 and Windows-1252 to UTF-8, chunk by chunk, whatever the chunks. Every byte is checked here. No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";

const encoder = new TextEncoder();

/** Chunks after the byte order mark. Half a surrogate pair, U+0000 and half a unit are Faults that name their offset. */
export async function* fromUtf16(
  chunks: AsyncIterable<Uint8Array>,
  bigEndian: boolean,
): AsyncGenerator<Uint8Array, void> {
  const decoder = new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true });
  let offset = 2;
  let rest = new Uint8Array(0);
  for await (const chunk of chunks) {
    const piece = new Uint8Array(rest.length + chunk.length);
    piece.set(rest);
    piece.set(chunk, rest.length);
    // Whole units only, and no pair torn apart: each piece is then right or wrong by itself.
    let whole = piece.length & ~1;
    if (whole > 0 && (unitAt(piece, whole - 2, bigEndian) & 0xfc00) === 0xd800) whole -= 2;
    rest = piece.slice(whole);
    if (whole === 0) continue;
    for (let i = 0; i < whole; i += 2) {
      const unit = unitAt(piece, i, bigEndian);
      if (unit === 0) {
        throw new Fault(
          "encoding_invalid",
          `Character U+0000 at offset ${
            offset + i
          } is not text, it looks like a binary file: save the file as "CSV UTF-8"`,
        );
      }
      if ((unit & 0xf800) !== 0xd800) continue;
      const next = i + 2 < whole ? unitAt(piece, i + 2, bigEndian) : 0;
      if (unit >= 0xdc00 || (next & 0xfc00) !== 0xdc00) {
        throw new Fault(
          "encoding_invalid",
          `Half a character (0x${unit.toString(16).toUpperCase()}) at offset ${offset + i} is not UTF-16: ` +
            `save the file as "CSV UTF-8"`,
        );
      }
      i += 2;
    }
    if (bigEndian) { for (let i = 0; i < whole; i += 2) [piece[i], piece[i + 1]] = [piece[i + 1]!, piece[i]!]; }
    offset += whole;
    yield encoder.encode(decoder.decode(piece.subarray(0, whole)));
  }
  if (rest.length > 0) {
    throw new Fault("input_incomplete", `The input ends inside a character, at offset ${offset + rest.length}`);
  }
}

function unitAt(bytes: Uint8Array, i: number, bigEndian: boolean): number {
  return bigEndian ? (bytes[i]! << 8) | bytes[i + 1]! : bytes[i]! | (bytes[i + 1]! << 8);
}

// What 0x80–0x9F stand for; 0: nothing does (81 8D 8F 90 9D). The rest is Latin-1.
const WINDOWS_1252 = [
  0x20ac,
  0,
  0x201a,
  0x0192,
  0x201e,
  0x2026,
  0x2020,
  0x2021,
  0x02c6,
  0x2030,
  0x0160,
  0x2039,
  0x0152,
  0,
  0x017d,
  0,
  0,
  0x2018,
  0x2019,
  0x201c,
  0x201d,
  0x2022,
  0x2013,
  0x2014,
  0x02dc,
  0x2122,
  0x0161,
  0x203a,
  0x0153,
  0,
  0x017e,
  0x0178,
];

/** The five bytes that Windows-1252 leaves open, and NUL, are Faults: they are the sign of something else. */
export async function* fromWindows1252(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let offset = 0;
  for await (const chunk of chunks) {
    const out = new Uint8Array(3 * chunk.length);
    let used = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      const point = byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252[byte - 0x80]! : byte;
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
