/**
 * Secrets at rest: text in, a compact JWE out (RFC 7516; `dir`, A256GCM), and back.
 *
 * The JWE's header names the key's id and the secret's purpose, both authenticated: a secret that is moved to another
 * place does not open there. There may be several keys, the current one first: new secrets are sealed with that one,
 * old ones open with the key that they name. No I/O.
 */
import * as base64url from "jose/base64url";
import { decodeProtectedHeader } from "jose/decode/protected_header";
import { compactDecrypt } from "jose/jwe/compact/decrypt";
import { CompactEncrypt } from "jose/jwe/compact/encrypt";
import { calculateJwkThumbprint } from "jose/jwk/thumbprint";
import { Fault } from "../model/errors.ts";

export interface Secrets {
  /** `purpose` names where the secret belongs, like "webhook-endpoint:5"; it is not secret itself. */
  seal(purpose: string, plain: string): Promise<string>;
  /** Fails with `unavailable` when the key is missing, with `internal` when the text was changed or moved. */
  open(purpose: string, sealed: string): Promise<string>;
  /** 32 bytes for signing, by HKDF-SHA-256 (RFC 5869) from the current key: the same for the same purpose and key. */
  derive(purpose: string): Promise<Uint8Array<ArrayBuffer>>;
  /** The same from every key, the current one first: signatures from before a rotation can still be verified. */
  deriveAll(purpose: string): Promise<Uint8Array<ArrayBuffer>[]>;
  /** The same secret sealed with the current key; null when it already is. */
  reseal(sealed: string): Promise<string | null>;
}

/** The form of a master key, for messages. */
export const MASTER_KEY_FORM = "32 bytes as base64url: 43 letters, digits, - and _";

/** A new master key's text. */
export function createMasterKeyText(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
}

export function isMasterKeyText(text: string): boolean {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return false;
  // The last digit has two unused bits: with them set, it would be a second text of the same key.
  return base64url.encode(base64url.decode(text)) === text;
}

/** The id of a key: its thumbprint (RFC 7638), which reveals nothing about the key. */
export async function masterKeyId(text: string): Promise<string> {
  return (await calculateJwkThumbprint({ kty: "oct", k: text }, "sha256")).slice(0, 16);
}

interface Key {
  readonly id: string;
  readonly sealing: Uint8Array<ArrayBuffer>;
  readonly derive: (purpose: string) => Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * `texts`: the current key, then earlier ones. `reload` returns the keys of now, in case another process has sealed a
 * secret with a newer one.
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
    throw new Fault(
      "unavailable",
      `A stored secret is sealed with the master key "${id}", which this process does not have`,
    );
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
      // Without the cause on purpose: no part of the text may reach a log.
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

/** For a hub without a master key: every operation fails and names the missing setting. */
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
  // Sealing has a key of its own. No purpose can name it, as those begin with "for ".
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
