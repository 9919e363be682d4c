/**
 * OpenPGP keys, and what is encrypted with them: a key pair of the hub's, a customer's public key looked at before it is
 * kept, and bytes encrypted on their way out. No I/O. No clock.
 */
import { createMessage, encrypt, enums, generateKey, type Key, readKey } from "openpgp";
import { Fault } from "./errors.ts";

export type KeyType = "rsa" | "ecc";

/** What is known of a key. Ids are 16 hexadecimal digits in upper case, of the key and its subkeys. */
export interface PublicKeyFacts {
  readonly fingerprint: string;
  readonly keyIds: readonly string[];
  /** Armored. */
  readonly publicKey: string;
}

/** Longer than any that people use: one with RSA and a hundred signatures has some 60,000 characters. */
export const MAX_KEY_CHARACTERS = 100_000;
/** Whoever is given a key may have a clock that is behind, and programs refuse keys from the future. */
const SKEW_MS = 60 * 60 * 1000;
const MAX_NAME_CHARACTERS = 120;

/** A new key pair that signs and can be encrypted for; `privateKey` is armored and has no passphrase. */
export async function createKeyPair(
  type: KeyType,
  name: string,
  now: number,
): Promise<PublicKeyFacts & { readonly privateKey: string }> {
  const made = await generateKey({
    ...(type === "rsa" ? { type, rsaBits: 3072 } : { type, curve: "curve25519Legacy" }),
    userIDs: [{ name: nameOf(name) }],
    format: "object",
    date: new Date(now - SKEW_MS),
    // The key says how it likes to be written to: files come packed, at a fifth of their size.
    config: { preferredCompressionAlgorithm: enums.compression.zlib },
  });
  return { ...factsOf(made.publicKey), privateKey: made.privateKey.armor() };
}

/** A customer's key as it was given: public, one, and good for encrypting or signing. Else a Fault that says what to do. */
export async function parsePublicKey(text: string, now: number): Promise<PublicKeyFacts> {
  if (/-----BEGIN PGP (PRIVATE|SECRET) KEY/.test(text)) {
    throw wrong("is a private key, which nobody else should ever have; give the public key instead");
  }
  if ((text.match(/-----BEGIN PGP PUBLIC KEY BLOCK-----/g) ?? []).length > 1) {
    throw wrong("holds more than one key; give them one by one");
  }
  let key: Key;
  try {
    key = await readKey({ armoredKey: text });
  } catch (cause) {
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

/** Those of the armored keys that can be encrypted for now: not expired, not revoked. */
export async function usableKeys(publicKeys: readonly string[], now: number): Promise<Key[]> {
  const keys = await Promise.all(publicKeys.map((armoredKey) => readKey({ armoredKey })));
  const usable = await Promise.all(
    keys.map((key) => key.getEncryptionKey(undefined, new Date(now)).then(() => true, () => false)),
  );
  return keys.filter((_, index) => usable[index]);
}

/** The bytes, encrypted for all of the keys (at least one), with proof that they are whole. Binary, as `gpg` reads it. */
export async function encryptFor(
  keys: readonly Key[],
  bytes: ReadableStream<Uint8Array>,
  name: string,
  now: number,
): Promise<ReadableStream<Uint8Array>> {
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

/** A name as a user id can have it: brackets would make a comment or an address of its end. */
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
