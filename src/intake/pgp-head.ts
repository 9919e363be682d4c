/**
 * Parses the head of an OpenPGP message (RFC 9580; LibrePGP's packet 20 too): for whom it is encrypted, and how. It is
 * parsed before anything is decrypted, so that messages can say what is wrong, and no oversized piece is ever loaded.
 * No I/O. No clock.
 */
import { toHex } from "../std/hex.ts";

/** Everything before the encrypted data has to fit in here: some hundred recipients. */
export const HEAD_BYTES = 64 * 1024;
/** The largest exponent of AEAD's pieces: 4 MiB. Each piece is held in memory whole. */
const MAX_CHUNK_EXPONENT = 16;

export interface PgpHead {
  /**
   * Ids of the keys that the message is encrypted for, 16 hexadecimal digits in upper case; null for a recipient who is
   * not named.
   */
  readonly recipients: readonly (string | null)[];
  /** Whether a password opens it. */
  readonly hasPassword: boolean;
  /**
   * `proven`: encrypted, with proof at its end that it is whole (MDC). `aead`: encrypted, with proof piece by piece.
   * `unproven`: encrypted without proof. `plain`: only signed or packed. `huge`: encrypted in pieces too large for
   * memory.
   */
  readonly data: "proven" | "aead" | "unproven" | "plain" | "huge";
}

const PUBLIC_KEY_SESSION = 1, SIGNATURE = 2, PASSWORD_SESSION = 3, ONE_PASS = 4, COMPRESSED = 8, OLD_ENCRYPTED = 9;
const MARKER = 10, LITERAL = 11, PROTECTED = 18, AEAD = 20, PADDING = 21;

/** Null: not an OpenPGP message, or one whose data begins behind `head`: the first HEAD_BYTES, or all there are. */
export function parsePgpHead(head: Uint8Array): PgpHead | null {
  const recipients: (string | null)[] = [];
  let hasPassword = false;
  for (let at = 0; at < head.length;) {
    const packet = parseHeader(head, at);
    if (packet === null) return null;
    const { tag, start, length } = packet;
    const body = head.subarray(start, length === null ? undefined : start + length);
    switch (tag) {
      case PROTECTED:
        if (body[0] === 1) return { recipients, hasPassword, data: "proven" };
        return body[0] === 2 ? { recipients, hasPassword, data: pieces(body[3]) } : null;
      case AEAD:
        return body[0] === 1 ? { recipients, hasPassword, data: pieces(body[3]) } : null;
      case OLD_ENCRYPTED:
        return { recipients, hasPassword, data: "unproven" };
      case COMPRESSED:
      case LITERAL:
      case ONE_PASS:
      case SIGNATURE:
        return { recipients, hasPassword, data: "plain" };
      case MARKER:
      case PADDING:
        break;
      case PUBLIC_KEY_SESSION:
        recipients.push(recipientOf(body));
        break;
      case PASSWORD_SESSION:
        hasPassword = true;
        break;
      default:
        return null;
    }
    if (length === null) return null;
    at = start + length;
  }
  return null;
}

/** Whether bytes of unknown type are encrypted: no text begins like that. */
export function isEncrypted(head: PgpHead | null): boolean {
  return head !== null && head.data !== "plain" && (head.recipients.length > 0 || head.hasPassword);
}

function pieces(exponent: number | undefined): "aead" | "huge" {
  return exponent !== undefined && exponent <= MAX_CHUNK_EXPONENT ? "aead" : "huge";
}

/** A packet's tag, and where its body is; `length` null: it goes to the end, or comes in parts. */
export function parseHeader(
  bytes: Uint8Array,
  at: number,
): { tag: number; start: number; length: number | null } | null {
  const first = bytes[at]!;
  if ((first & 0x80) === 0 || at + 6 > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if ((first & 0x40) === 0) {
    const tag = (first >> 2) & 0x0f;
    switch (first & 3) {
      case 0:
        return { tag, start: at + 2, length: bytes[at + 1]! };
      case 1:
        return { tag, start: at + 3, length: view.getUint16(at + 1) };
      case 2:
        return { tag, start: at + 5, length: view.getUint32(at + 1) };
      default:
        return { tag, start: at + 1, length: null };
    }
  }
  const tag = first & 0x3f;
  const size = bytes[at + 1]!;
  if (size < 192) return { tag, start: at + 2, length: size };
  if (size < 224) return { tag, start: at + 3, length: ((size - 192) << 8) + bytes[at + 2]! + 192 };
  if (size === 255) return { tag, start: at + 6, length: view.getUint32(at + 2) };
  return { tag, start: at + 2, length: null };
}

function recipientOf(body: Uint8Array): string | null {
  // Version 6 has a length, the key's version, and its fingerprint. Earlier versions have the id.
  const id = body[0] === 6
    ? body[1] === 0 ? null : body[2] === 6 ? body.subarray(3, 11) : body.subarray(body[1]! - 6, body[1]! + 2)
    : body.subarray(1, 9);
  if (id === null || id.every((byte) => byte === 0)) return null;
  return toHex(id).toUpperCase();
}
