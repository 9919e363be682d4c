/**
 * OpenPGP messages and keys that no honest program writes: small ones that unpack to much, damaged ones, ones that are all
 * packets and no data. What is in them is encrypted for the key as anybody could do who has it.
 */
import { Buffer } from "node:buffer";
import { deflateSync } from "node:zlib";
import { createMessage, encrypt, encryptSessionKey, readKey, readMessage } from "openpgp";

const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));

/** One packet, its length in four bytes. */
export function packet(tag: number, body: Uint8Array | readonly number[]): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, body.length);
  return join([0xc0 | tag, 0xff], length, body);
}

/** One packet in parts of one byte, each with a length of its own; the last one is empty. */
export function inBytes(tag: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 + body.length * 2);
  out[0] = 0xc0 | tag;
  for (let i = 0; i < body.length; i++) {
    out[1 + 2 * i] = 0xe0;
    out[2 + 2 * i] = body[i]!;
  }
  return out;
}

export const literal = (text: string | Uint8Array): Uint8Array =>
  packet(11, join([0x62, 0, 0, 0, 0, 0], typeof text === "string" ? new TextEncoder().encode(text) : text));

/** A compressed packet (zlib). */
export const deflated = (inner: Uint8Array): Uint8Array => packet(8, join([2], deflateSync(inner)));

/** The packets in so many compressed packets inside one another. */
export function nested(inner: Uint8Array, levels: number): Uint8Array {
  let packets = inner;
  for (let level = 0; level < levels; level++) packets = deflated(packets);
  return packets;
}

/** A literal of `head` and then 45 MB of zeros, again and again: each block of bzip2 takes 40 bytes. */
export function bzip2Bomb(blocks: number): Uint8Array {
  // A literal packet of undetermined length (old format) has all that follows.
  const first = Uint8Array.from(atob(BZIP2_HEAD), (each) => each.charCodeAt(0));
  const block = Uint8Array.from(atob(BZIP2_ZEROS), (each) => each.charCodeAt(0));
  return packet(8, join([3], first, ...Array.from({ length: blocks }, () => block)));
}

/** Packets, encrypted for the key. */
export async function seal(publicKey: string, packets: Uint8Array, config = {}): Promise<Uint8Array> {
  const message = await createMessage({ binary: new Uint8Array() });
  Object.assign(message, { packets: { write: () => packets } });
  const encryptionKeys = await readKey({ armoredKey: publicKey });
  return await encrypt({ message, encryptionKeys, format: "binary", config }) as Uint8Array;
}

/** As sealed, its data in parts of one byte. */
export async function sealInBytes(publicKey: string, text: string): Promise<Uint8Array> {
  const message = await readMessage({ binaryMessage: await seal(publicKey, literal(text)) });
  const [session, data] = message.packets as unknown as { write(): Uint8Array }[];
  return join(packet(1, session!.write()), inBytes(18, data!.write()));
}

/** As sealed, with so many session keys before its own: each is for the key, and none is the message's. */
export async function sealForMany(publicKey: string, text: string, count: number): Promise<Uint8Array> {
  const encryptionKeys = await readKey({ armoredKey: publicKey });
  const sealed = await seal(publicKey, literal(text));
  const wrong: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const data = crypto.getRandomValues(new Uint8Array(32));
    wrong.push(await encryptSessionKey({ data, algorithm: "aes256", encryptionKeys, format: "binary" }) as Uint8Array);
  }
  return join(...wrong, sealed);
}

/** As sealed, with session keys of RSA before its own that take 14 bytes each: for `keyId`, sixteen hexadecimal digits. */
export async function sealForRsa(publicKey: string, keyId: string, count: number): Promise<Uint8Array> {
  const id = keyId.match(/../g)!.map((each) => Number.parseInt(each, 16));
  const session = join([0xc1, 13, 3], id, [1, 0, 1, 1]);
  return join(...Array.from({ length: count }, () => session), await seal(publicKey, literal("email\n")));
}

/** `bzip2 -9` of a literal packet without a length, with "email" and a line end in it. */
const BZIP2_HEAD = "QlpoOTFBWSZTWY46QSoAAAZBEGAQMiYAAKAAMQAwIAaepcMy4xAeLuSKcKEhHHSCVA==";
/** `bzip2 -9` of 45,899,235 zeros. */
const BZIP2_ZEROS = "QlpoOTFBWSZTWei3pg8BX44IAMAAAAggADCATUZCoCWpCoCXF3JFOFCQ6LemDw==";

/** Empty packets of a kind that everybody passes over. */
export const unknownPackets = (count: number): Uint8Array => repeated([0xff, 0], count);

/** Signatures of version 4 that say nothing of who has made them. */
export const signatures = (count: number): Uint8Array => repeated([0xc2, 10, 4, 0, 1, 8, 0, 0, 0, 0, 0, 0], count);

function repeated(bytes: readonly number[], count: number): Uint8Array {
  const all = new Uint8Array(bytes.length * count);
  for (let i = 0; i < count; i++) all.set(bytes, i * bytes.length);
  return all;
}
