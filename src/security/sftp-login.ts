/**
 * Credentials for the hosted SFTP server: user names, passwords and key pairs made by the hub, and customers' public
 * keys. On Web standards: no runtime.
 *
 * A password is 125 random bits, and is still stored as scrypt's hash, so that a leaked database reveals no password.
 */
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { sha256 } from "@noble/hashes/sha2.js";
import * as base64url from "jose/base64url";
import { toHex } from "../std/hex.ts";
import { concatBytes } from "../std/typed-arrays.ts";

/** Without i, l, o and u: no digit looks like another, and no words appear. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

function randomDigits(count: number): string {
  return [...crypto.getRandomValues(new Uint8Array(count))].map((byte) => DIGITS[byte % 32]).join("");
}

/** Begins with the connection's slug, for people; the rest is random, so that it cannot be guessed. */
export function createUsername(slug: string): string {
  return `${slug.slice(0, 40).replace(/-+$/, "")}-${randomDigits(8)}`;
}

/** Five groups of five, which can be read aloud. */
export function createPassword(): string {
  return Array.from({ length: 5 }, () => randomDigits(5)).join("-");
}

// --- hashes ---

/** Runtimes that have an scrypt off the main thread pass it in. */
export type Scrypt = (
  password: string,
  salt: Uint8Array,
  cost: { readonly N: number; readonly r: number; readonly p: number; readonly dkLen: number },
) => Promise<Uint8Array>;

/** 2^14 blocks of 1 KiB: each guess takes 16 MiB and a few hundredths of a second. */
const COST = { ln: 14, r: 8, p: 1 };
const HASH_BYTES = 32;
const STORED = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9_-]+)\$([A-Za-z0-9_-]+)$/;

/** The hash with its salt and its cost, in the form of the PHC strings. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const { ln, r, p } = COST;
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64url.encode(salt)}$${
    base64url.encode(await slowHash(password, salt, COST))
  }`;
}

/** Whether the password has the stored hash. Null: there is none. The answer always takes the same time. */
export async function isPassword(
  password: string,
  stored: string | null,
  scrypt: Scrypt = scryptAsync,
): Promise<boolean> {
  const [, ln, r, p, salt, hash] = STORED.exec(stored ?? "") ?? [];
  if (hash === undefined) {
    await slowHash(password, new Uint8Array(16), COST, scrypt);
    return false;
  }
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const found = await slowHash(password, base64url.decode(salt!), cost, scrypt);
  const wanted = base64url.decode(hash);
  let differs = found.length ^ wanted.length;
  for (let i = 0; i < found.length; i++) differs |= found[i]! ^ wanted[i]!;
  return differs === 0;
}

function slowHash(
  password: string,
  salt: Uint8Array,
  { ln, r, p }: typeof COST,
  scrypt: Scrypt = scryptAsync,
): Promise<Uint8Array> {
  return scrypt(password.normalize("NFC"), salt, { N: 2 ** ln, r, p, dkLen: HASH_BYTES });
}

// --- proofs ---

/**
 * The name of a password between hub and bridge, made of its stored hash: it reveals nothing about the password, and
 * every password has another name. A key is named by its fingerprint.
 */
export function passwordProof(stored: string): string {
  return `password:${toHex(sha256(text(stored))).slice(0, 32)}`;
}

// --- keys ---

export interface PublicKey {
  /** As in RFC 4253: `ssh-ed25519`. */
  readonly type: string;
  /** Type and bytes as in an `authorized_keys` file, without options and comment. */
  readonly text: string;
  /** `SHA256:…`, as OpenSSH shows it. */
  readonly fingerprint: string;
  readonly comment: string;
}

const CURVES: Readonly<Record<string, number>> = {
  "ecdsa-sha2-nistp256": 65,
  "ecdsa-sha2-nistp384": 97,
  "ecdsa-sha2-nistp521": 133,
};
const MIN_RSA_BITS = 2048, MAX_RSA_BITS = 16_384;

/** Parses a line of an `authorized_keys` or `.pub` file. Returns a text when it is invalid: what is wrong with it. */
export function parsePublicKey(input: string): PublicKey | string {
  const line = input.trim();
  if (/^-+\s?BEGIN/.test(line)) {
    return line.includes("PRIVATE")
      ? "is a private key, which nobody else should have; it should be the public one, like ssh-ed25519 AAAA…"
      : "should be one line, like ssh-ed25519 AAAA…; ssh-keygen -i makes it of this";
  }
  const [, type, encoded, comment = ""] = /^(\S+)[ \t]+([A-Za-z0-9+/]+={0,2})(?:[ \t]+([^\r\n]*))?$/.exec(line) ?? [];
  if (type === undefined || encoded === undefined) return "should be one line, like ssh-ed25519 AAAA…";
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
  } catch {
    return "is cut off or changed: it should be the whole line";
  }
  const parts = readStrings(bytes);
  if (parts === null || new TextDecoder().decode(parts[0]) !== type) {
    return "is cut off or changed: it should be the whole line";
  }
  const wrong = wrongWith(type, parts);
  if (wrong !== null) return wrong;
  return { type, text: `${type} ${encode64(bytes)}`, fingerprint: fingerprintOf(bytes), comment: comment.trim() };
}

function wrongWith(type: string, parts: readonly Uint8Array[]): string | null {
  if (type === "ssh-ed25519") return parts.length === 2 && parts[1]!.length === 32 ? null : "is not a key of its type";
  if (type in CURVES) {
    const [, curve, point] = parts;
    const fits = parts.length === 3 && type.endsWith(new TextDecoder().decode(curve)) && point![0] === 4;
    return fits && point!.length === CURVES[type] ? null : "is not a key of its type";
  }
  if (type === "ssh-rsa") {
    if (parts.length !== 3) return "is not a key of its type";
    const modulus = parts[2]!.subarray(parts[2]![0] === 0 ? 1 : 0);
    const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
    if (bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS) return null;
    return `has ${Math.max(bits, 0)} bits; an RSA key should have ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`;
  }
  return `is of type "${type}"; it should be ssh-ed25519, ${Object.keys(CURVES).join(", ")} or ssh-rsa`;
}

export interface KeyPair extends PublicKey {
  /** In OpenSSH's format, without a passphrase. */
  readonly privateKey: string;
}

/** A new Ed25519 key pair. */
export async function createKeyPair(comment: string): Promise<KeyPair> {
  const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]) as CryptoKeyPair;
  const publicBytes = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  // PKCS #8 ends with the seed (RFC 8410).
  const seed = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)).slice(-32);
  const publicKey = writeStrings(text("ssh-ed25519"), publicBytes);
  return {
    type: "ssh-ed25519",
    text: `ssh-ed25519 ${encode64(publicKey)}`,
    fingerprint: fingerprintOf(publicKey),
    comment,
    privateKey: writePrivateKey(publicKey, publicBytes, seed, comment),
  };
}

/** The format of OpenSSH's PROTOCOL.key. */
function writePrivateKey(publicKey: Uint8Array, publicBytes: Uint8Array, seed: Uint8Array, comment: string): string {
  const check = crypto.getRandomValues(new Uint8Array(4));
  const key = concatBytes(
    check,
    check,
    writeStrings(text("ssh-ed25519"), publicBytes, concatBytes(seed, publicBytes), text(comment)),
  );
  const padded = concatBytes(key, Uint8Array.from({ length: (8 - key.length % 8) % 8 }, (_, i) => i + 1));
  const whole = concatBytes(
    text("openssh-key-v1\0"),
    writeStrings(text("none"), text("none"), new Uint8Array()),
    number(1),
    writeStrings(publicKey, padded),
  );
  const lines = encode64(whole).match(/.{1,70}/g)!;
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

export function fingerprintOf(bytes: Uint8Array): string {
  return `SHA256:${encode64(sha256(bytes)).replace(/=+$/, "")}`;
}

// --- SSH's encoding (RFC 4251) ---

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function number(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, value >>> 16, value >>> 8, value]);
}

function writeStrings(...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...parts.flatMap((part) => [number(part.length), part]));
}

/** Null: the bytes are not a sequence of strings. */
function readStrings(bytes: Uint8Array): Uint8Array[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 4 > bytes.length) return null;
    const end = at + 4 + view.getUint32(at);
    if (end > bytes.length) return null;
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return parts.length === 0 ? null : parts;
}

function encode64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
