/**
 * Secrets at rest: text in, a compact JWE out (RFC 7516; `dir`, A256GCM), and back.
 *
 * The JWE's header names the key by its id, and what the secret is for, both under its seal: a secret that is moved to
 * another place does not open there. Several keys may be at hand, the current one first: new secrets are sealed with that
 * one, old ones open with whichever they name. No I/O.
 */
import { base64url, calculateJwkThumbprint, compactDecrypt, CompactEncrypt, decodeProtectedHeader } from "jose";
import { Fault } from "../model/errors.ts";

export interface Secrets {
  /** `purpose` says where the secret belongs, like "webhook-endpoint:5"; it is not secret itself. */
  seal(purpose: string, plain: string): Promise<string>;
  /** Fails with `unavailable` when the key is not at hand, with `internal` when the text is not what was sealed. */
  open(purpose: string, sealed: string): Promise<string>;
  /** 32 bytes for signing, by HKDF-SHA-256 (RFC 5869) from the current key: the same for the same purpose and key. */
  derive(purpose: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The same from every key at hand, the current one first: what was signed before a rotation is still known. */
  deriveAll(purpose: string): Promise<Uint8Array<ArrayBuffer>[]>;
  /** The same secret sealed with the current key; null where it is already. */
  reseal(sealed: string): Promise<string | null>;
}

/** What a master key looks like, for messages. */
export const MASTER_KEY_FORM = "32 bytes as base64url: 43 letters, digits, - and _";

/** A new master key's text. */
export function createMasterKeyText(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
}

export function isMasterKeyText(text: string): boolean {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return false;
  // The last digit carries two bits of nothing: another one there would be a second text of the same key.
  return base64url.encode(base64url.decode(text)) === text;
}

/** What a key is called: its thumbprint (RFC 7638), which tells nothing of the key. */
export async function masterKeyId(text: string): Promise<string> {
  return (await calculateJwkThumbprint({ kty: "oct", k: text }, "sha256")).slice(0, 16);
}

interface Key {
  readonly id: string;
  readonly sealing: Uint8Array<ArrayBuffer>;
  readonly derive: (purpose: string) => Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * `texts`: the current key, then earlier ones. `reload` gives the keys as they are now, for when another process has
 * sealed something with a key that is not at hand.
 */
export async function createSecrets(
  texts: readonly string[],
  reload?: () => Promise<readonly string[]>,
): Promise<Secrets> {
  const keys = await Promise.all(texts.map(openKey));
  const current = keys[0]!;
  let later: readonly Key[] = [];

  async function findKey(id: string | undefined): Promise<Key> {
    const find = () => [...keys, ...later].find((key) => key.id === id);
    if (find() === undefined && reload !== undefined) later = await Promise.all((await reload()).map(openKey));
    const key = find();
    if (key !== undefined) return key;
    throw new Fault("unavailable", `A stored secret is sealed with the master key "${id}", which this process has not`);
  }

  async function unseal(sealed: string): Promise<{ purpose: string; plain: string }> {
    const key = await findKey(headerOf(sealed).kid);
    try {
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, key.sealing, {
        keyManagementAlgorithms: ["dir"],
        contentEncryptionAlgorithms: ["A256GCM"],
      });
      return { purpose: String(protectedHeader.purpose), plain: new TextDecoder().decode(plaintext) };
    } catch {
      // The cause is left out on purpose: nothing of the text may come near a log.
      throw new Fault("internal", "A stored secret does not open: it is not what was sealed");
    }
  }

  const seal = (purpose: string, plain: string) =>
    new CompactEncrypt(new TextEncoder().encode(plain))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM", kid: current.id, purpose })
      .encrypt(current.sealing);

  return {
    seal,
    async open(purpose, sealed) {
      const found = await unseal(sealed);
      if (found.purpose !== purpose) throw new Fault("internal", `A stored secret is not for "${purpose}"`);
      return found.plain;
    },
    derive: current.derive,
    deriveAll: (purpose) => Promise.all(keys.map((key) => key.derive(purpose))),
    async reseal(sealed) {
      if (headerOf(sealed).kid === current.id) return null;
      const { purpose, plain } = await unseal(sealed);
      return await seal(purpose, plain);
    },
  };
}

/** For a hub that has no master key: whatever needs one says so. */
export function createNoSecrets(): Secrets {
  const refuse = () =>
    Promise.reject(new Fault("unavailable", `MUSTER_MASTER_KEY is not set: it should be ${MASTER_KEY_FORM}`));
  return { seal: refuse, open: refuse, derive: refuse, deriveAll: refuse, reseal: refuse };
}

function headerOf(sealed: string): { kid?: string } {
  try {
    return decodeProtectedHeader(sealed);
  } catch {
    throw new Fault("internal", "A stored secret does not open: it is not what was sealed");
  }
}

async function openKey(text: string): Promise<Key> {
  const master = await crypto.subtle.importKey("raw", new Uint8Array(base64url.decode(text)), "HKDF", false, [
    "deriveBits",
  ]);
  // Sealing has a key of its own, which no purpose can name: those begin with "for ".
  const expand = async (info: string) =>
    new Uint8Array(
      await crypto.subtle.deriveBits(
        { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: new TextEncoder().encode(info) },
        master,
        256,
      ),
    );
  return {
    id: await masterKeyId(text),
    sealing: await expand("seal"),
    derive: (purpose) => expand(`for ${purpose}`),
  };
}
