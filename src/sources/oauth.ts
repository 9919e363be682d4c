/**
 * OAuth 2.0 for connections: the authorization code grant with PKCE (RFC 6749, RFC 7636), and tokens that are kept sealed
 * and renewed before they end. The protocol is `oauth4webapi`'s; the token endpoint is asked past the outbound gate.
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

/** What the source has given. Stored sealed, as JSON. */
interface Tokens {
  readonly access: string;
  /** Null: nothing to renew with; the admin has to authorize again. */
  readonly refresh: string | null;
  /** Milliseconds since 1970; null: not said. */
  readonly expiresAt: number | null;
}

/** What a client needs to know of its source. */
interface Party {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly clientAuth: oauth.ClientAuth;
  readonly options: oauth.TokenEndpointRequestOptions;
}

/** Renewed when they end within this time, as a request may take a while. */
const RENEW_AHEAD_MS = 5 * MINUTE_MS;

/** Path of the one address that sources send admins back to. */
export const CALLBACK_PATH = "/oauth/callback";

export function redirectUri(hub: Pick<Hub, "publicUrl">): string {
  return `${hub.publicUrl}${CALLBACK_PATH}`;
}

/** A new authorization: where the admin has to go, and what is to be remembered until they come back. */
export async function beginAuthorization(
  hub: Hub,
  auth: OAuth2,
  settings: never,
  secrets: Readonly<Record<string, string>>,
): Promise<{ readonly url: string; readonly state: string; readonly verifier: string }> {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const clientId = credential(auth.clientId, settings, secrets);
  // What the token endpoint will be asked with is looked for now: afterwards the admin would have come for nothing.
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

/** Turns the code that an admin came back with into tokens; gives them as they are to be sealed. Fails with a SourceFault. */
export async function finishAuthorization(
  hub: Hub,
  auth: OAuth2,
  settings: never,
  secrets: Readonly<Record<string, string>>,
  answered: { readonly parameters: URLSearchParams; readonly state: string; readonly verifier: string },
): Promise<string> {
  const { server, client, clientAuth, options } = partyOf(hub, auth, settings, secrets);
  const parameters = new URLSearchParams(answered.parameters);
  // Each state belongs to one connection and so to one server: there is no other that could be meant.
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
 * The access token to ask with, renewed if its time is nearly over, or if the source has `refused` it. Null: it was
 * refused and there is no other. Fails with `secrets_required` when nobody has authorized the connection yet.
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
    throw new Fault("secrets_required", "Nobody has allowed the hub to read this source yet; authorize the connection");
  }
  const isEnding = tokens.expiresAt !== null && tokens.expiresAt - hub.now() < RENEW_AHEAD_MS;
  // Somebody else may have renewed it meanwhile.
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
    // A token to renew with may be good once only: whoever was faster has stored the next one.
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
    // What may be asked over http is the gate's to say.
    options: { [oauth.customFetch]: asFetch(hub.outbound) as never, [oauth.allowInsecureRequests]: true },
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

/** What goes wrong on the way, as a SourceFault that says who can do something about it. */
async function asking<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Fault || cause instanceof SourceFault) throw cause;
    if (cause instanceof OutboundRefused) throw new SourceFault("settings", cause.message, { cause });
    if (cause instanceof oauth.AuthorizationResponseError || cause instanceof oauth.ResponseBodyError) {
      const words = cause.error_description === undefined ? "" : `: ${cause.error_description.slice(0, 200)}`;
      throw new SourceFault(
        "credentials",
        `The source does not give the hub its permission (${
          cause.error.slice(0, 60)
        }${words}); authorize the connection again`,
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
