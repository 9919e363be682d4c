/**
 * Accepts signed texts of strangers only in their one exact spelling. Base64 decoders ignore line breaks, and bits
 * after the last byte, so one signature would have many texts. No I/O.
 */
import * as base64url from "jose/base64url";

/** Whether the text is a JWS in its compact form (RFC 7515, 7.1), each part spelled exactly as its bytes encode. */
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
