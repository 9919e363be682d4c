/**
 * Signed texts of strangers, in the one spelling that they have. Decoders of base64 pass over line breaks, and over bits
 * behind the last byte, so that one signature would have many texts. No I/O.
 */
import { base64url } from "jose";

/** Whether the text is a JWS in its compact form (RFC 7515, 7.1), each part of it exactly as its bytes are written. */
export function isSignedText(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(text) && text.split(".").every(isExact);
}

function isExact(part: string): boolean {
  try {
    return base64url.encode(base64url.decode(part)) === part;
  } catch {
    return false;
  }
}
