/**
 * The text of a token: `mus_`, 30 random base62 digits, and 6 that are the CRC-32 of those.
 *
 * The check digits reveal a mistyped or cut token without a database query, and let scanners of leaked secrets be sure.
 * Only the SHA-256 of the text is ever stored.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../std/hex.ts";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM_DIGITS = 30;
const CHECK_DIGITS = 6;
const FORM = new RegExp(`^mus_[0-9A-Za-z]{${RANDOM_DIGITS + CHECK_DIGITS}}$`);

/** A new token's text, from 178 bits of the runtime's secure randomness. Shown once. */
export function createTokenText(): string {
  let random = "";
  while (random.length < RANDOM_DIGITS) {
    for (const byte of crypto.getRandomValues(new Uint8Array(RANDOM_DIGITS))) {
      // 248 is the largest multiple of 62 in a byte: higher values would favour the first digits.
      if (byte < 248 && random.length < RANDOM_DIGITS) random += DIGITS[byte % 62];
    }
  }
  return `mus_${random}${checkDigits(random)}`;
}

/** The form of a token's text, for messages. */
export const TOKEN_FORM = '"mus_" and 36 letters and digits, of which the last 6 check the others';

/** Whether the text has a token's form, and its check digits fit. The token need not exist. */
export function isTokenText(text: string): boolean {
  return FORM.test(text) && checkDigits(text.slice(4, 4 + RANDOM_DIGITS)) === text.slice(4 + RANDOM_DIGITS);
}

/**
 * SHA-256 of the text in hex, as stored and looked up. Synchronous: with a promise, thousands of requests could begin
 * before the first of them has been looked up.
 */
export function hashToken(text: string): string {
  return toHex(sha256(new TextEncoder().encode(text)));
}

function checkDigits(text: string): string {
  let rest = crc32(new TextEncoder().encode(text));
  let digits = "";
  while (digits.length < CHECK_DIGITS) {
    digits = DIGITS[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** CRC-32 as in ISO 3309 and PNG, unsigned. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
