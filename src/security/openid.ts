/**
 * OpenID bearer tokens: a JWT of the configured issuer in, its subject and permissions out.
 *
 * The issuer's keys are fetched, cached for a while, and fetched again when a token names an unknown key. Only
 * asymmetric signatures are accepted: with a shared secret, or without a signature, anybody could sign. No promise
 * outlives the call that made it, so one value serves a whole process, on Workers too.
 */
import { createRemoteJWKSet, customFetch, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from "jose";
import { Fault } from "../model/errors.ts";
import { type Scope, SCOPES } from "../model/scope.ts";
import { isSignedText } from "./signed-text.ts";
import { HOUR_MS } from "../std/time.ts";

export interface OpenIdSettings {
  /** Exactly as in the tokens' `iss`. */
  readonly issuer: string;
  /** Required in the tokens' `aud`. */
  readonly audience: string;
  /** The claim that names the organization, by id or slug. */
  readonly organizationClaim: string;
  /** Subjects that may have the scopes `operator` and `bridge`. */
  readonly operators: readonly string[];
}

/** The holder of a genuine token. */
export interface Subject {
  readonly subject: string;
  /** Id or slug; null: the token names none. */
  readonly organization: string | null;
  readonly scopes: readonly Scope[];
}

export interface OpenId {
  readonly organizationClaim: string;
  /**
   * Fails with `unauthorized` when the token is not the issuer's, not for this hub, or not valid now; with
   * `unavailable` when the issuer's keys cannot be fetched. `now` in milliseconds since 1970.
   */
  verify(jwt: string, now: number): Promise<Subject>;
}

/** Fetches addresses of the issuer; follows no redirects. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const ALGORITHMS = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" ");
const PREFIX = "muster:";
/** How much clocks may differ. */
const TOLERANCE_SECONDS = 30;
const MAX_TOKEN_LENGTH = 16_384;
const MAX_DISCOVERY_BYTES = 256 * 1024;
const TIMEOUT_MS = 5_000;
/** How long the address of an issuer's keys is cached. */
const DISCOVER_EVERY_MS = HOUR_MS;
/** Pause after an issuer that did not answer. */
const AFTER_FAILURE_MS = 5_000;
/** Least time between fetches of the keys because of unknown key ids. */
const COOLDOWN_MS = 30_000;

/** Whether the text has the form of a signed JWT; its content is not checked. */
export function isJwt(text: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}

/**
 * Fetches nothing before the first token comes. `clockMs`: a monotonic clock, for the next fetch of keys. `cooldownMs`
 * differs from the default only in tests.
 */
export function createOpenId(
  settings: OpenIdSettings,
  fetch: Fetch,
  clockMs: () => number,
  cooldownMs = COOLDOWN_MS,
): OpenId {
  const { issuer, audience, organizationClaim, operators } = settings;
  const findKeys = createKeyFinder(issuer, fetch, clockMs, cooldownMs);
  return {
    organizationClaim,
    async verify(jwt, now) {
      requireLikely(jwt, issuer);
      const keys = await findKeys();
      try {
        const { payload } = await jwtVerify(jwt, keys, {
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

/** Finds the issuer's keys, and caches where they are. When the issuer does not answer, the last keys are used on. */
function createKeyFinder(issuer: string, fetch: Fetch, clockMs: () => number, cooldownMs: number) {
  let found: { keys: ReturnType<typeof createRemoteJWKSet>; until: number } | null = null;
  let failedUntil = -Infinity;
  return async () => {
    const now = clockMs();
    if (found !== null && now < found.until) return found.keys;
    if (now < failedUntil) throw unavailable(null);
    try {
      const address = await discover(issuer, fetch);
      const keys = createRemoteJWKSet(address, {
        [customFetch]: (url: string, init: RequestInit) => fetch(url, init),
        timeoutDuration: TIMEOUT_MS,
        cooldownDuration: cooldownMs,
      });
      found = { keys, until: now + DISCOVER_EVERY_MS };
      return keys;
    } catch (error) {
      failedUntil = now + AFTER_FAILURE_MS;
      if (found !== null) return found.keys;
      throw unavailable(error);
    }
  };
}

/** Rejects a token that cannot be the issuer's before any key is fetched for it. */
function requireLikely(jwt: string, issuer: string): void {
  let alg: unknown, iss: unknown;
  if (jwt.length <= MAX_TOKEN_LENGTH) {
    try {
      alg = decodeProtectedHeader(jwt).alg;
      iss = decodeJwt(jwt).iss;
    } catch {
      // `alg` is undefined or `iss` is: rejected below.
    }
  }
  if (alg === undefined) throw unreadable();
  if (!ALGORITHMS.includes(alg as string)) {
    throw new Fault(
      "unauthorized",
      `The token's signature algorithm is not accepted; it should be ${ALGORITHMS[0]} or the like`,
    );
  }
  if (!isSignedText(jwt)) throw unreadable();
  if (iss !== issuer) throw new Fault("unauthorized", `The token's claim "iss" should be "${issuer}"`);
}

function unreadable(): Fault {
  return new Fault("unauthorized", "The token is not a readable JWT");
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
  const configuration = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown };
  if (configuration.issuer !== issuer) throw new Error("The issuer's configuration names another issuer");
  return new URL(String(configuration.jwks_uri));
}

function scopesOf(payload: { readonly [claim: string]: unknown }): Scope[] {
  const granted = [payload.scope, payload.scp].flatMap((value) =>
    typeof value === "string" ? value.split(/\s+/) : Array.isArray(value) ? value : []
  );
  return SCOPES.filter((scope) => granted.includes(`${PREFIX}${scope}`));
}

/** The text of a claim that is a text, or a list of one; null for any other claim. */
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
        ? `The token has no claim "${error.claim}": it should have one`
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
    "The OpenID issuer's keys are unavailable, so its tokens cannot be verified; try again",
    { cause },
  );
}
