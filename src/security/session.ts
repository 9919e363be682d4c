/**
 * The texts of sessions and of links that sign in: 256 bits of the runtime's secure randomness. A browser that has one is signed
 * in, so only their hashes are stored.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../std/hex.ts";

const BYTES = 32;
const FORM = /^[0-9a-f]{64}$/;

export function createSecretText(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(BYTES)));
}

export function isSecretText(text: string): boolean {
  return FORM.test(text);
}

/** SHA-256 in hex, as stored and looked up. */
export function hashSecretText(text: string): string {
  return toHex(sha256(new TextEncoder().encode(text)));
}

/**
 * What every form of a session's pages carries, in hex. It follows from the session's text and does not reveal it; another
 * site can make a browser send the cookie, and cannot know this.
 */
export function formTokenOf(sessionText: string): string {
  return toHex(sha256(new TextEncoder().encode(`form ${sessionText}`)));
}
