/**
 * OpenID bearer tokens: a JWT of the one configured issuer in, who it is and what it may do out.
 *
 * The issuer's keys come through the fetch that is handed in, are kept for a while, and are asked for again when a token
 * names one that is not among them. Only asymmetric signatures count: with a shared secret, or none, everybody could
 * sign. Keeps no promise beyond the call that made it, so one value serves a whole process, on Workers too.
 */
import { createRemoteJWKSet, customFetch, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from "jose";
import { Fault } from "../model/errors.ts";
import { type Scope, SCOPES } from "../model/scope.ts";
import { isSignedText } from "./signed-text.ts";
import { HOUR_MS } from "../std/time.ts";

export interface OpenIdSettings {
  /** Exactly as the issuer calls itself in `iss`. */
  readonly issuer: string;
  /** What `aud` has to name. */
  readonly audience: string;
  /** The claim that names the organization, by id or slug. */
  readonly organizationClaim: string;
  /** Subjects that may be given the scopes `operator` and `bridge`. */
  readonly operators: readonly string[];
}

/** Who holds a token that was found to be genuine. */
export interface Subject {
  readonly subject: string;
  /** Id or slug; null: the token names none. */
  readonly organization: string | null;
  readonly scopes: readonly Scope[];
}

export interface OpenId {
  readonly organizationClaim: string;
  /**
   * Fails with `unauthorized` when the token is not one of the issuer's, for this hub, or no longer; with `unavailable`
   * when the issuer's keys cannot be had. `now` in milliseconds since 1970.
   */
  verify(jwt: string, now: number): Promise<Subject>;
}

/** How addresses of the issuer are fetched; follows no redirects. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
const PREFIX = "muster:";
/** Clocks differ. */
const TOLERANCE_SECONDS = 30;
const MAX_TOKEN_LENGTH = 16_384;
const MAX_DISCOVERY_BYTES = 256 * 1024;
const TIMEOUT_MS = 5_000;
/** An issuer may move its keys to another address. */
const DISCOVER_EVERY_MS = HOUR_MS;
/** An issuer that does not answer is left alone this long. */
const AFTER_FAILURE_MS = 5_000;
/** Unknown key ids make the keys be asked for this often at most. */
const COOLDOWN_MS = 30_000;

/** Whether the text has the form of a signed JWT; says nothing of what is in it. */
export function isJwt(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}

/**
 * Asks nobody until the first token comes. `clockMs`: one that nobody sets, for when the issuer is asked again.
 * `cooldownMs` is other than usual only in tests.
 */
export function createOpenId(
  settings: OpenIdSettings,
  fetch: Fetch,
  clockMs: () => number,
  cooldownMs = COOLDOWN_MS,
): OpenId {
  const { issuer, audience, organizationClaim, operators } = settings;
  let keys: { get: ReturnType<typeof createRemoteJWKSet>; until: number } | null = null;
  let failedUntil = -Infinity;

  async function findKeys() {
    const now = clockMs();
    if (keys !== null && now < keys.until) return keys.get;
    if (now < failedUntil) throw unavailable(null);
    try {
      const address = await discover(issuer, fetch);
      const get = createRemoteJWKSet(address, {
        [customFetch]: (url: string, init: RequestInit) => fetch(url, init),
        timeoutDuration: TIMEOUT_MS,
        cooldownDuration: cooldownMs,
      });
      keys = { get, until: now + DISCOVER_EVERY_MS };
      return get;
    } catch (error) {
      failedUntil = now + AFTER_FAILURE_MS;
      // The keys that were found before are as good as they were.
      if (keys !== null) return keys.get;
      throw unavailable(error);
    }
  }

  return {
    organizationClaim,
    async verify(jwt, now) {
      requireLikely(jwt, issuer);
      const get = await findKeys();
      try {
        const { payload } = await jwtVerify(jwt, get, {
          algorithms: ALGORITHMS,
          issuer,
          audience,
          requiredClaims: ["exp", "sub"],
          clockTolerance: TOLERANCE_SECONDS,
          currentDate: new Date(now),
        });
        const { sub } = payload;
        if (typeof sub !== "string" || sub === "" || sub.length > 255) {
          throw new Fault("unauthorized", 'The token\'s claim "sub" should be 1 to 255 characters');
        }
        const trusted = operators.includes(sub);
        return {
          subject: sub,
          organization: one(payload[organizationClaim]),
          scopes: scopesOf(payload).filter((scope) => trusted || (scope !== "operator" && scope !== "bridge")),
        };
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

/** Sends away at once what cannot be the issuer's, so that nobody is asked for a key to it. */
function requireLikely(jwt: string, issuer: string): void {
  let alg: unknown, iss: unknown;
  if (jwt.length <= MAX_TOKEN_LENGTH) {
    try {
      alg = decodeProtectedHeader(jwt).alg;
      iss = decodeJwt(jwt).iss;
    } catch {
      // Said below.
    }
  }
  if (alg === undefined) throw new Fault("unauthorized", "The token is no JWT that can be read");
  if (!ALGORITHMS.includes(alg as string)) {
    throw new Fault(
      "unauthorized",
      `The token is signed in a way that does not count; it should be ${ALGORITHMS[0]} or the like`,
    );
  }
  if (!isSignedText(jwt)) throw new Fault("unauthorized", "The token is no JWT that can be read");
  if (iss !== issuer) throw new Fault("unauthorized", `The token's claim "iss" should be "${issuer}"`);
}

/** The address of the issuer's keys (OpenID Connect Discovery 1.0, 4). */
async function discover(issuer: string, fetch: Fetch): Promise<URL> {
  const answer = await fetch(`${issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (answer.status !== 200) throw new Error(`The issuer's configuration is answered with ${answer.status}`);
  const text = await answer.text();
  if (text.length > MAX_DISCOVERY_BYTES) throw new Error("The issuer's configuration is too long");
  const said = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
  if (said.issuer !== issuer) throw new Error("The issuer calls itself something else");
  return new URL(String(said.jwks_uri));
}

function scopesOf(payload: { readonly [claim: string]: unknown }): Scope[] {
  const said = [payload.scope, payload.scp].flatMap((value) =>
    typeof value === "string" ? value.split(/\s+/) : Array.isArray(value) ? value : []
  );
  return SCOPES.filter((scope) => said.includes(`${PREFIX}${scope}`));
}

/** A claim with one text, alone or as the only one of a list. */
function one(value: unknown): string | null {
  const only = Array.isArray(value) && value.length === 1 ? value[0] : value;
  return typeof only === "string" && only !== "" ? only : null;
}

function explain(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const no = (message: string) => new Fault("unauthorized", message, { cause: error });
  if (error instanceof errors.JWTExpired) return no("The token has expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return no(
      error.reason === "missing"
        ? `The token has no claim "${error.claim}", and should`
        : `The token's claim "${error.claim}" is not what it should be`,
    );
  }
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return no("The token is signed with a key that the issuer does not have");
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return no("The token's signature does not fit");
  const ofToken = [errors.JWTInvalid, errors.JWSInvalid, errors.JOSEAlgNotAllowed, errors.JOSENotSupported];
  return ofToken.some((kind) => error instanceof kind) ? no("The token is not valid") : unavailable(error);
}

function unavailable(cause: unknown): Fault {
  return new Fault(
    "unavailable",
    "The OpenID issuer's keys cannot be had now, so nobody can be let in with its tokens; try again",
    { cause },
  );
}
