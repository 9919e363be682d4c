/** An OpenID issuer on this machine, with keys of its own that can be changed and a way to be out of order. */
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fetch, OpenIdSettings } from "../../src/security/openid.ts";

export interface TestIssuer {
  readonly settings: OpenIdSettings;
  readonly fetch: Fetch;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** Whether it answers; else every answer is 500. */
  up: boolean;
  /** What it calls itself in its configuration. */
  name: string;
  /** A genuine token for ten minutes, but for what is said otherwise; undefined takes a claim away. */
  sign(claims?: JWTPayload, header?: { kid?: string; alg?: string; key?: CryptoKey }): Promise<string>;
  /** The public key as the issuer shows it. */
  publicKey(): Promise<Uint8Array>;
  /** From now on another key signs, and only it is shown. */
  rotate(alg?: string): Promise<void>;
  close(): Promise<void>;
}

/** `now` in milliseconds since 1970. */
export async function startIssuer(now: () => number): Promise<TestIssuer> {
  let count = 0;
  let current: { kid: string; alg: string; publicKey: CryptoKey; privateKey: CryptoKey };
  const rotate = async (alg = "ES256") => {
    current = { kid: `key-${++count}`, alg, ...await generateKeyPair(alg, { extractable: true }) };
  };
  await rotate();
  const server = createServer(async (request, response) => {
    issuer.asked.push(request.url!);
    const body = request.url === "/.well-known/openid-configuration"
      ? { issuer: issuer.name, jwks_uri: `${address}/keys` }
      : { keys: [{ ...await exportJWK(current.publicKey), kid: current.kid, alg: current.alg, use: "sig" }] };
    response.writeHead(issuer.up ? 200 : 500, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: TestIssuer = {
    settings: { issuer: address, audience: "muster", organizationClaim: "org", operators: ["olga"] },
    fetch: (url, init) => fetch(url, init),
    asked: [],
    up: true,
    name: address,
    async sign(claims = {}, { kid = current.kid, alg = current.alg, key = current.privateKey } = {}) {
      const seconds = Math.floor(now() / 1000);
      const usual = { iss: address, aud: "muster", sub: "ana", org: "default", iat: seconds, exp: seconds + 600 };
      return await new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg, kid }).sign(key);
    },
    publicKey: async () => new TextEncoder().encode(JSON.stringify(await exportJWK(current.publicKey))),
    rotate,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return issuer;
}
