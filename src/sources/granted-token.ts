/**
 * Access tokens that a source gives without a person: for client credentials (RFC 6749, section 4.4), or for an assertion
 * that is signed by a private key (RFC 7523, section 2.1). Kept in memory until they expire; nothing is stored.
 */
import { importPKCS8, SignJWT } from "jose";
import * as oauth from "oauth4webapi";
import { SourceFault } from "../connector.ts";
import type { Hub } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import { sha256Hex } from "../std/hex.ts";
import { MINUTE_MS } from "../std/time.ts";
import type { Connection } from "../store/connections/connections.ts";
import { credential, type TokenAuth } from "./auth.ts";
import { asking, endpointOptions } from "./oauth.ts";

export interface Grant {
  readonly auth: TokenAuth;
  readonly tokenUrl: string;
  readonly settings: never;
  readonly secrets: Readonly<Record<string, string>>;
}

interface Token {
  readonly access: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** Some token endpoints take no assertion that is good for longer than a minute. */
const ASSERTION_S = 45;
/** Tokens that expire within this time are not used, as a request may take a while. */
const AHEAD_MS = MINUTE_MS;
/** Of a token whose answer does not say. */
const USUAL_S = 300;
const MAX_TOKENS = 1_000;

/** By database, so that no two hubs share tokens. */
const TOKENS = new WeakMap<object, Map<string, Token>>();

/** A token that is good for now, and another one than `refused`. Null: the source refuses a new one as well. */
export async function grantedToken(
  hub: Hub,
  connection: Connection,
  grant: Grant,
  refused: string | null,
): Promise<string | null> {
  const known = TOKENS.get(hub.db) ?? new Map<string, Token>();
  TOKENS.set(hub.db, known);
  const name = await nameOf(connection, grant);
  const kept = known.get(name);
  if (kept !== undefined && kept.access !== refused && kept.expiresAt - hub.now() > AHEAD_MS) return kept.access;
  known.delete(name);
  const { access_token: access, expires_in: seconds = USUAL_S } = await request(hub, grant);
  if (access === refused) return null;
  if (known.size >= MAX_TOKENS) known.clear();
  known.set(name, { access, expiresAt: hub.now() + seconds * 1000 });
  return access;
}

/** Other credentials, other settings and other connections have tokens of their own. */
async function nameOf({ organizationId, id }: Connection, { tokenUrl, settings, secrets }: Grant): Promise<string> {
  const text = JSON.stringify([organizationId, id, tokenUrl, settings, Object.entries(secrets).sort()]);
  return await sha256Hex(text);
}

async function request(hub: Hub, grant: Grant): Promise<oauth.TokenEndpointResponse> {
  const { auth, tokenUrl, settings, secrets } = grant;
  const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl };
  const client = {
    client_id: auth.clientId === undefined ? "muster" : credential(auth.clientId, settings, secrets),
  };
  const options = endpointOptions(hub);
  const form = new URLSearchParams(auth.scopes.length === 0 ? {} : { scope: auth.scopes.join(" ") });
  const clientAuth = clientAuthOf(grant);
  if (auth.kind === "jwt_bearer") form.set("assertion", await assertionOf(hub, grant));
  else for (const [name, value] of Object.entries(auth.parameters ?? {})) form.set(name, value);
  return await asking(async () => {
    if (auth.kind === "client_credentials") {
      const response = await oauth.clientCredentialsGrantRequest(server, client, clientAuth, form, options);
      return await oauth.processClientCredentialsResponse(server, client, response);
    }
    const response = await oauth.genericTokenEndpointRequest(server, client, clientAuth, JWT_BEARER, form, options);
    return await oauth.processGenericTokenEndpointResponse(server, client, response);
  }, "check the credentials of the connection, and what they may do at the source");
}

/** With an assertion alone, the client sends nothing about itself. */
function clientAuthOf({ auth, settings, secrets }: Grant): oauth.ClientAuth {
  if (auth.clientSecret === undefined) return () => {};
  const secret = credential(auth.clientSecret, settings, secrets);
  return auth.clientAuth === "basic" ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
}

async function assertionOf(hub: Hub, { auth, tokenUrl, settings, secrets }: Grant): Promise<string> {
  if (auth.kind !== "jwt_bearer") throw new SourceFault("settings", "Only a private key signs assertions");
  const { algorithm: alg = "RS256", scopes, claims = {} } = auth;
  const issuer = credential(auth.issuer, settings, secrets);
  const seconds = Math.floor(hub.now() / 1000);
  const scope = scopes.length === 0 ? {} : { scope: scopes.join(" ") };
  const kid = auth.keyId === undefined ? {} : { kid: credential(auth.keyId, settings, secrets) };
  return await new SignJWT({ ...scope, ...claims })
    .setProtectedHeader({ alg, typ: "JWT", ...kid })
    .setIssuer(issuer)
    .setSubject(auth.subject === undefined ? issuer : credential(auth.subject, settings, secrets))
    .setAudience(auth.audience ?? tokenUrl)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + ASSERTION_S)
    .setJti(crypto.randomUUID())
    .sign(await keyOf(credential(auth.privateKey, settings, secrets), alg));
}

/** A key that was copied out of a JSON file has its line ends escaped. */
async function keyOf(text: string, algorithm: string) {
  try {
    return await importPKCS8(text.replaceAll("\\n", "\n").trim(), algorithm);
  } catch {
    // The error may quote the key.
    throw new Fault(
      "source_misconfigured",
      `The connection's private key cannot be used: it should be PKCS#8 in PEM ("BEGIN PRIVATE KEY"), for ${algorithm}`,
    );
  }
}
