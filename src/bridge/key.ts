/**
 * The bridge's key, which identifies it to the hub. Made once and stored in its folder; only secrets from the hub are
 * encrypted to it.
 */
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, compactDecrypt, exportJWK, generateKeyPair, importJWK, type JWK } from "jose";
import { codeOf, writeSynced } from "./disk.ts";

export interface BridgeKey {
  readonly publicKey: { readonly kty: string; readonly crv: string; readonly x: string; readonly y: string };
  /** RFC 7638. The operator compares it. */
  readonly thumbprint: string;
  /** Decrypts a compact JWE (ECDH-ES, A256GCM). */
  decrypt(jwe: string): Promise<string>;
}

/** The key in `dir`, made if it is missing. Two bridges that are started at once end up with the same key. */
export async function openBridgeKey(dir: string): Promise<BridgeKey> {
  const path = join(dir, "bridge-key");
  const jwk = await readKey(path) ?? await makeKey(dir, path);
  const { kty, crv, x, y } = jwk as { kty: string; crv: string; x: string; y: string };
  const publicKey = { kty, crv, x, y };
  const key = await importJWK(jwk, "ECDH-ES");
  return {
    publicKey,
    thumbprint: await calculateJwkThumbprint(publicKey, "sha256"),
    async decrypt(jwe) {
      const { plaintext } = await compactDecrypt(jwe, key, {
        keyManagementAlgorithms: ["ECDH-ES"],
        contentEncryptionAlgorithms: ["A256GCM"],
      });
      return new TextDecoder().decode(plaintext);
    },
  };
}

async function readKey(path: string): Promise<JWK | null> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw new Error(`The bridge's key in "${path}" cannot be read`, { cause: error });
  }
}

async function makeKey(dir: string, path: string): Promise<JWK> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { privateKey } = await generateKeyPair("ECDH-ES", { crv: "P-256", extractable: true });
  const jwk = await exportJWK(privateKey);
  const aside = `${path}.${crypto.randomUUID()}`;
  try {
    await writeSynced(aside, JSON.stringify(jwk), "wx");
    const other = await readKey(path);
    if (other !== null) return other;
    await rename(aside, path);
    return jwk;
  } finally {
    await rm(aside, { force: true });
  }
}
