/**
 * ASCII armor (RFC 9580, 6.2): text with base64 in it goes in, the decoded bytes come out, streaming.
 *
 * Memory does not grow with the input, whatever its lines are. The checksum at the end is ignored, as the RFC demands:
 * the message proves itself. No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";
import { concatBytes } from "../std/typed-arrays.ts";

/** Limit of other text before the armor, as in a mail. */
const MAX_BEFORE_BYTES = 64 * 1024;
const BEGIN = /^(?:\xef\xbb\xbf)?-----BEGIN PGP ([A-Z ]+)-----[ \t]*\r?$/m;

const NONE = 0xff, BLANK = 0xfe, PAD = 0xfd;
const DIGITS = new Uint8Array(256).fill(NONE);
for (let i = 0; i < 64; i++) {
  DIGITS["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".charCodeAt(i)] = i;
}
for (const blank of [0x20, 0x09, 0x0a, 0x0d]) DIGITS[blank] = BLANK;
DIGITS[0x3d] = PAD;

/** The label of the armor that begins within `head`, like `MESSAGE`; null: no armor begins there. */
export function armorLabel(head: Uint8Array): string | null {
  return BEGIN.exec(latin1(head))?.[1] ?? null;
}

/** Whether the input begins with the armor of a message. */
export function beginsWithArmor(head: Uint8Array): boolean {
  return /^(?:\xef\xbb\xbf)?\s*-----BEGIN PGP MESSAGE-----/.test(latin1(head.subarray(0, 256)));
}

/** The bytes in the first armor of the input. Fails with `input_incomplete` when it breaks off or is not base64. */
export async function* fromArmor(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let before: Uint8Array | null = new Uint8Array(0);
  let offset = 0;
  let value = 0, bits = 0;
  let padded = false;
  for await (const next of chunks) {
    let chunk = next;
    if (before !== null) {
      const held: Uint8Array = concatBytes(before, next);
      const start = bodyStart(held);
      if (start < 0) {
        if (held.length > MAX_BEFORE_BYTES) break;
        before = held;
        continue;
      }
      before = null;
      offset += start - (held.length - next.length);
      chunk = held.subarray(start);
    }
    const out = new Uint8Array(Math.ceil(chunk.length / 4) * 3 + 3);
    let used = 0;
    for (let i = 0; i < chunk.length; i++) {
      const digit = DIGITS[chunk[i]!]!;
      if (digit < 64 && !padded) {
        value = (value << 6) | digit;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        out[used++] = value >> bits;
        value &= (1 << bits) - 1;
      } else if (digit === PAD) padded = true;
      else if (chunk[i] === 0x2d) {
        // The dash begins the line that ends the armor.
        if (used > 0) yield out.subarray(0, used);
        return;
      } else if (digit === NONE) {
        throw new Fault(
          "input_incomplete",
          `The armor of the encrypted file is damaged at offset ${offset + i}: send the file again, as a binary file`,
        );
      }
    }
    offset += chunk.length;
    if (used > 0) yield out.subarray(0, used);
  }
  throw new Fault("input_incomplete", "The encrypted file breaks off inside its armor: send the whole file again");
}

/** Where the base64 begins: after the armor's first line, its headers, and an empty line. -1: it is not there yet. */
function bodyStart(bytes: Uint8Array): number {
  const text = latin1(bytes);
  const begin = BEGIN.exec(text);
  if (begin === null) return -1;
  const rest = text.slice(begin.index);
  const blank = /\n[ \t\f]*\r?\n/.exec(rest);
  return blank === null ? -1 : begin.index + blank.index + blank[0].length;
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}
