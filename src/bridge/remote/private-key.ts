/**
 * Opens an admin's private key for ssh2, in the formats of OpenSSH, PEM (PKCS #1, SEC 1, PKCS #8) and PuTTY.
 *
 * ssh2 passes keys on as PEM that OpenSSL accepts and Deno does not: an ECDSA key's number with a leading zero, which half
 * of the keys in OpenSSH's format have, and padding behind a PEM that was encrypted. Both are corrected.
 */
import { Buffer } from "node:buffer";
import { ssh2 } from "../ssh2.ts";
import { createPrivateKey } from "node:crypto";
import type { ParsedKey } from "ssh2";

/** Fails with an Error that names what is wrong, without any part of the key. */
export function openPrivateKey(text: string, passphrase?: string): ParsedKey {
  const key = parse(
    /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(text) ? fromPkcs8(text, passphrase) : text,
    passphrase,
  );
  if (!key.isPrivateKey()) throw new Error("it is a public one");
  const pem = key.getPrivatePEM();
  const [, title] = /-----BEGIN ((?:RSA|EC) PRIVATE KEY)-----/.exec(pem) ?? [];
  if (title === undefined) return key;
  // ssh2 would compute the public half of P-521 again, which Deno cannot. The key as parsed can sign.
  if (key.type.endsWith("nistp521")) return key;
  const der = derOf(pem);
  const right = title === "EC PRIVATE KEY" ? padEc(key, der) : cutToLength(der);
  return der.equals(right) ? key : parse(toPem(title, right));
}

function parse(text: string, passphrase?: string): ParsedKey {
  const [key] = [ssh2.utils.parseKey(text, passphrase)].flat();
  if (key instanceof Error) throw new Error(key.message);
  return key!;
}

function fromPkcs8(text: string, passphrase?: string): string {
  try {
    const key = createPrivateKey({ key: text, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) });
    const type = key.asymmetricKeyType === "ec" ? "sec1" : "pkcs1";
    return key.export({ type, format: "pem" }) as string;
  } catch (cause) {
    const isLocked = text.includes("BEGIN ENCRYPTED");
    throw new Error(isLocked ? "its passphrase does not open it" : "it is of a form that is not known", { cause });
  }
}

/** RFC 5915: a private key's number has as many bytes as its curve's. */
function padEc(key: ParsedKey, der: Buffer): Buffer {
  const size = key.type.endsWith("nistp256") ? 32 : 48;
  // SEQUENCE { INTEGER 1, OCTET STRING number, … }
  const all = headerOf(der);
  const version = der.subarray(all.start, all.start + 3);
  const { start, length } = headerOf(der, all.start + 3);
  const number = new Uint8Array(size);
  const given = der.subarray(Math.max(start, start + length - size), start + length);
  number.set(given, size - given.length);
  const rest = der.subarray(start + length, all.start + all.length);
  const content = Buffer.concat([version, Buffer.from([0x04, size]), number, rest]);
  const header = content.length < 0x80 ? [0x30, content.length] : [0x30, 0x81, content.length];
  return Buffer.concat([Buffer.from(header), content]);
}

function cutToLength(der: Buffer): Buffer {
  const { start, length } = headerOf(der);
  return der.subarray(0, start + length);
}

/** Where the content of a DER value starts, and how long it is. */
function headerOf(der: Uint8Array, at = 0): { start: number; length: number } {
  const first = der[at + 1]!;
  if (first < 0x80) return { start: at + 2, length: first };
  let length = 0;
  for (let i = 0; i < (first & 0x7f); i++) length = length * 256 + der[at + 2 + i]!;
  return { start: at + 2 + (first & 0x7f), length };
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}

function toPem(title: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g)!;
  return `-----BEGIN ${title}-----\n${lines.join("\n")}\n-----END ${title}-----\n`;
}
