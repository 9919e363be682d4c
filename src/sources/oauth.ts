/**
 * OAuth 2.0 for connections: the authorization code grant with PKCE (RFC 6749, RFC 7636), and tokens that are stored sealed
 * and renewed before they expire. `oauth4webapi` implements the protocol; its requests go through the outbound gate.
 */
import * as oauth from "oauth4webapi";
import { type Auth, SourceFault } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { asFetch, OutboundRefused } from "../security/outbound.ts";
import { loadSecrets, sealSecrets, TOKENS, writeSecrets } from "../store/connections/connection-secrets.ts";
import type { Connection } from "../store/connections/connections.ts";
import { credential } from "./auth.ts";
import { MINUTE_MS } from "../std/time.ts";

export type OAuth2 = Extract<Auth<never>, { kind: "oauth2" }>;

/** The tokens of a connection. Stored sealed, as JSON. */
interface Tokens {
  readonly access: string;
  /** Null: the token cannot be renewed; the admin has to authorize the connection again. */
  readonly refresh: string | null;
  /** Milliseconds since 1970; null: the source did not send it. */
  readonly expiresAt: number | null;
}

/** The source's authorization server and the hub as its client. */
interface Party {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly clientAuth: oauth.ClientAuth;
  readonly options: oauth.TokenEndpointRequestOptions;
}

/** Tokens that expire within this time are renewed, as a request may take a while. */
const RENEW_AHEAD_MS = 5 * MINUTE_MS;

/** Path of the address that sources redirect admins to. */
export const CALLBACK_PATH = "/oauth/callback";

export function redirectUri(hub: Pick<Hub, "publicUrl">): string {
  return `${hub.publicUrl}${CALLBACK_PATH}`;
}

/** Begins an authorization. `url`: where the admin has to go; the rest is stored until they come back. */
export async function beginAuthorization(
  hub: Hub,
  auth: OAuth2,
  settings: never,
  secrets: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; readonly state: string; readonly verifier: string }> {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const clientId = credential(auth.clientId, settings, secrets);
  // A missing client secret should fail now, not after the admin has authorized the connection.
  credential(auth.clientSecret, settings, secrets);
  const text = auth.authorizationUrl(settings);
  const refusal = hub.outbound.refusal(text) ?? hub.outbound.refusal(auth.tokenUrl(settings));
  if (refusal !== null) throw new Fault("source_misconfigured", refusal);
  const url = new URL(text);
  url.searchParams.set("response_type", "code");
  url.searchParams.set("client_id", clientId);
  url.searchParams.set("redirect_uri", redirectUri(hub));
  url.searchParams.set("scope", auth.scopes.join(" "));
  url.searchParams.set("state", state);
  url.searchParams.set("code_challenge", await oauth.calculatePKCECodeChallenge(verifier));
  url.searchParams.set("code_challenge_method", "S256");
  return { url: url.href, state, verifier };
}

/** Exchanges the code that an admin came back with for tokens, as the text to seal. Fails with a SourceFault. */
export async function finishAuthorization(
  hub: Hub,
  auth: OAuth2,
  settings: never,
  secrets: Readonly<Record<string, string>>,
  answered: { readonly parameters: URLSearchParams; readonly state: string; readonly verifier: string },
): Promise<string> {
  const { server, client, clientAuth, options } = partyOf(hub, auth, settings, secrets);
  const parameters = new URLSearchParams(answered.parameters);
  // Each state belongs to one connection and so to one server, so `iss` need not be checked.
  parameters.delete("iss");
  return await asking(async () => {
    const granted = oauth.validateAuthResponse(server, client, parameters, answered.state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      clientAuth,
      granted,
      redirectUri(hub),
      answered.verifier,
      options,
    );
    const found = await oauth.processAuthorizationCodeResponse(server, client, response);
    return JSON.stringify(tokensOf(found, null, hub.now()));
  });
}

/**
 * The connection's access token, renewed if it expires soon or if the source has `refused` it. Null: it was refused and
 * cannot be renewed. Fails with `secrets_required` if the connection has not been authorized yet.
 */
export async function accessToken(
  hub: Hub,
  connection: Connection,
  auth: OAuth2,
  settings: never,
  refused: string | null,
): Promise<string | null> {
  const secrets = await loadSecrets(hub, connection);
  const tokens = readTokens(secrets[TOKENS]);
  if (tokens === null) {
    throw new Fault("secrets_required", "The hub has no permission to read this source yet; authorize the connection");
  }
  const isEnding = tokens.expiresAt !== null && tokens.expiresAt - hub.now() < RENEW_AHEAD_MS;
  // Another process may have renewed it already.
  if (refused === null ? !isEnding : tokens.access !== refused) return tokens.access;
  if (tokens.refresh === null) {
    if (refused !== null) return null;
    if (tokens.expiresAt! > hub.now()) return tokens.access;
    throw new SourceFault("credentials", "The source's permission has ended; authorize the connection again");
  }
  return await renew(hub, connection, auth, settings, secrets, tokens);
}

async function renew(
  hub: Hub,
  connection: Connection,
  auth: OAuth2,
  settings: never,
  secrets: Readonly<Record<string, string>>,
  tokens: Tokens,
): Promise<string> {
  const { server, client, clientAuth, options } = partyOf(hub, auth, settings, secrets);
  try {
    const found = await asking(async () => {
      const response = await oauth.refreshTokenGrantRequest(server, client, clientAuth, tokens.refresh!, options);
      return await oauth.processRefreshTokenResponse(server, client, response);
    });
    const next = tokensOf(found, tokens.refresh, hub.now());
    const sealed = await sealSecrets(hub.secrets, connection.id, { [TOKENS]: JSON.stringify(next) });
    await hub.db.write(writeSecrets(hub.db, connection, sealed, hub.now()));
    return next.access;
  } catch (error) {
    // A refresh token may work only once: a process that was faster has stored the next one.
    const now = readTokens((await loadSecrets(hub, connection))[TOKENS]);
    if (now !== null && now.access !== tokens.access) return now.access;
    throw error;
  }
}

function partyOf(
  hub: Pick<Hub, "outbound">,
  auth: OAuth2,
  settings: never,
  secrets: Readonly<Record<string, string>>,
): Party {
  const tokenUrl = auth.tokenUrl(settings);
  const secret = credential(auth.clientSecret, settings, secrets);
  return {
    server: { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl },
    client: { client_id: credential(auth.clientId, settings, secrets) },
    clientAuth: auth.clientAuth === "basic" ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret),
    options: endpointOptions(hub),
  };
}

function tokensOf(found: oauth.TokenEndpointResponse, refresh: string | null, now: number): Tokens {
  return {
    access: found.access_token,
    refresh: found.refresh_token ?? refresh,
    expiresAt: found.expires_in === undefined ? null : now + found.expires_in * 1000,
  };
}

function readTokens(text: string | undefined): Tokens | null {
  return text === undefined ? null : JSON.parse(text);
}

/** How the token endpoint is requested: through the outbound gate. */
export function endpointOptions(hub: Pick<Hub, "outbound">): oauth.TokenEndpointRequestOptions {
  // The outbound gate decides what may be requested over http.
  return { [oauth.customFetch]: asFetch(hub.outbound) as never, [oauth.allowInsecureRequests]: true };
}

/** Turns errors of the exchange into SourceFaults, whose kind shows who can do something about it. */
export async function asking<T>(work: () => Promise<T>, remedy = "authorize the connection again"): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Fault || cause instanceof SourceFault) throw cause;
    if (cause instanceof OutboundRefused) throw new SourceFault("settings", cause.message, { cause });
    if (cause instanceof oauth.AuthorizationResponseError || cause instanceof oauth.ResponseBodyError) {
      const words = cause.error_description === undefined ? "" : `: ${cause.error_description.slice(0, 200)}`;
      throw new SourceFault(
        "credentials",
        `The source does not give the hub its permission (${cause.error.slice(0, 60)}${words}); ${remedy}`,
        { cause },
      );
    }
    if (cause instanceof oauth.OperationProcessingError) {
      throw new SourceFault("answer", `The source's answer about its permission cannot be used: ${cause.message}`, {
        cause,
      });
    }
    throw new SourceFault("connection", "The source does not answer when it is asked for its permission", { cause });
  }
}
