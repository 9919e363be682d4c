/**
 * OpenPGP keys and encryption: creates the hub's key pairs, checks a customer's public key before it is stored, and
 * encrypts outgoing bytes. No I/O. No clock.
 */
import type { Key } from "openpgp";
import { Fault } from "../model/errors.ts";
import { parseHeader } from "../intake/pgp-head.ts";

/** Loaded when it is first needed: it is large, and most hubs never need it. */
const library = () => import("openpgp");

export type KeyType = "rsa" | "ecc";

/** A public key. Ids are 16 hexadecimal digits in upper case, of the key and its subkeys. */
export interface PublicKeyFacts {
  readonly fingerprint: string;
  readonly keyIds: readonly string[];
  /** Armored. */
  readonly publicKey: string;
}

/** Longer than any real key: one with RSA and a hundred signatures has some 60,000 characters. */
export const MAX_KEY_CHARACTERS = 100_000;
/** The receiver's clock may be behind, and programs refuse keys from the future. */
const SKEW_MS = 60 * 60 * 1000;
const MAX_NAME_CHARACTERS = 120;

/** A new key pair for signing and encryption. `privateKey` is armored and has no passphrase. */
export async function createKeyPair(
  type: KeyType,
  name: string,
  now: number,
): Promise<PublicKeyFacts & { readonly privateKey: string }> {
  const { enums, generateKey } = await library();
  const made = await generateKey({
    ...(type === "rsa" ? { type, rsaBits: 3072 } : { type, curve: "curve25519Legacy" }),
    userIDs: [{ name: nameOf(name) }],
    format: "object",
    date: new Date(now - SKEW_MS),
    // The key asks senders to compress: files arrive at a fifth of their size.
    config: { preferredCompressionAlgorithm: enums.compression.zlib },
  });
  return { ...factsOf(made.publicKey), privateKey: made.privateKey.armor() };
}

/**
 * Checks that the text is one public key, good for encrypting or signing. Otherwise throws a Fault that says what to
 * do.
 */
export async function parsePublicKey(text: string, now: number): Promise<PublicKeyFacts> {
  if (/-----BEGIN PGP (PRIVATE|SECRET) KEY/.test(text)) {
    throw wrong("is a private key, which nobody else should ever have; give the public key instead");
  }
  if ((text.match(/-----BEGIN PGP PUBLIC KEY BLOCK-----/g) ?? []).length > 1) {
    throw wrong("holds more than one key; give them one by one");
  }
  const { readKey, unarmor } = await library();
  let key: Key;
  try {
    requireModest((await unarmor(text)).data as Uint8Array);
    key = await readKey({ armoredKey: text });
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw wrong('is not an armored OpenPGP key, which begins with "-----BEGIN PGP PUBLIC KEY BLOCK-----"', cause);
  }
  const uses = await Promise.allSettled([
    key.getEncryptionKey(undefined, new Date(now)),
    key.getSigningKey(undefined, new Date(now)),
  ]);
  if (uses.every(({ status }) => status === "rejected")) {
    const { reason } = uses[0] as PromiseRejectedResult;
    throw wrong(
      `can neither be encrypted for nor verify signatures: ${reason instanceof Error ? reason.message : reason}`,
    );
  }
  return factsOf(key.toPublic());
}

const SIGNATURE = 2, SECRET_KEY = 5, PUBLIC_KEY = 6, SECRET_SUBKEY = 7, USER_ID = 13, PUBLIC_SUBKEY = 14, IMAGE = 17;
/** Each subkey and each signature is verified again whenever the key is used. */
const MAX_OF: ReadonlyMap<number, readonly [count: number, what: string]> = new Map([
  [SIGNATURE, [150, "signatures"]],
  [USER_ID, [50, "user ids"]],
  [IMAGE, [5, "images"]],
  [PUBLIC_KEY, [1, "primary keys"]],
  [PUBLIC_SUBKEY, [20, "subkeys"]],
]);
/** Enough for RSA with 8192 bits, the most that programs make. */
const MAX_NUMBERS_BYTES = 1100;
const MAX_EXPONENT_BITS = 64;

/**
 * Refuses keys with huge numbers, or with thousands of signatures, before the library calculates with them: that would
 * take minutes.
 */
function requireModest(packets: Uint8Array): void {
  const counts = new Map<number, number>();
  for (let at = 0; at < packets.length;) {
    const packet = parseHeader(packets, at);
    if (packet === null || packet.length === null) throw new Error("There is a packet without a length");
    const { tag, start, length } = packet;
    if (tag === SECRET_KEY || tag === SECRET_SUBKEY) {
      throw wrong("is a private key, which nobody else should ever have; give the public key instead");
    }
    const [most, what] = MAX_OF.get(tag) ?? [20, `packets of the kind ${tag}`];
    const count = (counts.get(tag) ?? 0) + 1;
    counts.set(tag, count);
    if (count > most) throw wrong(`has more than ${most} ${what}; export it without what others have added`);
    if (tag === PUBLIC_KEY || tag === PUBLIC_SUBKEY) requireModestNumbers(packets.subarray(start, start + length));
    at = start + length;
  }
}

function requireModestNumbers(body: Uint8Array): void {
  // Version, four bytes of a date, algorithm; from version 6 on also the length of the numbers.
  const algorithm = body[5]!;
  const numbers = body.subarray(body[0]! >= 6 ? 10 : 6);
  if (numbers.length > MAX_NUMBERS_BYTES) throw wrong("has larger numbers than RSA with 8192 bits; make a smaller key");
  const isRsa = algorithm >= 1 && algorithm <= 3;
  const at = 2 + ((bitsAt(numbers, 0) + 7) >> 3);
  if (isRsa && bitsAt(numbers, at) > MAX_EXPONENT_BITS) {
    throw wrong(`has an exponent of more than ${MAX_EXPONENT_BITS} bits, which no program makes`);
  }
}

const bitsAt = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);

/** The armored keys that can be used for encryption now: not expired, not revoked. */
export async function usableKeys(publicKeys: readonly string[], now: number): Promise<Key[]> {
  if (publicKeys.length === 0) return [];
  const { readKey } = await library();
  const keys = await Promise.all(publicKeys.map((armoredKey) => readKey({ armoredKey })));
  const usable = await Promise.all(
    keys.map((key) => key.getEncryptionKey(undefined, new Date(now)).then(() => true, () => false)),
  );
  return keys.filter((_, index) => usable[index]);
}

/** Encrypts the bytes for all of the keys (at least one), with integrity protection. Binary, as `gpg` reads it. */
export async function encryptFor(
  keys: readonly Key[],
  bytes: ReadableStream<Uint8Array>,
  name: string,
  now: number,
): Promise<ReadableStream<Uint8Array>> {
  const { createMessage, encrypt } = await library();
  const date = new Date(now);
  const message = await createMessage({ binary: bytes as never, filename: name, date });
  const sealed = await encrypt({ message, encryptionKeys: [...keys], format: "binary", date });
  return sealed as unknown as ReadableStream<Uint8Array>;
}

function factsOf(key: Key): PublicKeyFacts {
  return {
    fingerprint: key.getFingerprint().toUpperCase(),
    keyIds: key.getKeys().map((each) => each.getKeyID().toHex().toUpperCase()),
    publicKey: key.armor(),
  };
}

/** A name for a user id, without brackets, which would turn its end into a comment or an address. */
function nameOf(name: string): string {
  return [...name.replace(/[<>()@\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").replace(/\s+/g, " ").trim()]
    .slice(0, MAX_NAME_CHARACTERS).join("");
}

function wrong(what: string, cause?: unknown): Fault {
  return new Fault("invalid_request", `The public key ${what}`, {
    cause,
    errors: [{ pointer: "/public_key", detail: what }],
  });
}
