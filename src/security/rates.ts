/**
 * Rate limits: a token bucket for each key, which holds a quota and refills over a window.
 *
 * In the memory of one process (on Workers: of one isolate), so that a check costs nothing; n processes grant up to n
 * times as much. The least recently used keys are forgotten first; a missing bucket is a full one. No I/O; times are
 * passed in.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { TOKENS_WORTH_AN_ORGANIZATION } from "../model/limits.ts";

export interface Limiter {
  readonly quota: number;
  readonly windowS: number;
  /** Takes one if there is one. */
  take(key: string, now: number): Allowance;
  /** Reports the same without taking one. */
  look(key: string, now: number): Allowance;
}

export interface Allowance {
  readonly allowed: boolean;
  /** How many can be taken now. */
  readonly remaining: number;
  /** Seconds until the bucket is full, rounded up. */
  readonly resetS: number;
  /** Seconds until one can be taken, rounded up; 0 when one can be taken now. */
  readonly retryAfterS: number;
}

/** The hub's limits on requests; null: no limit. */
export interface Rates {
  /** Milliseconds of a monotonic clock, so that setting the machine's time changes no waiting time. */
  readonly clockMs: () => number;
  /** Requests, by token. */
  readonly requests: Limiter | null;
  /** Requests, by the token's organization, which can make any number of tokens. */
  readonly organizations: Limiter | null;
  /** Failed log-ins, by network address. */
  readonly logins: Limiter | null;
  /** Opened signed links, by network address, and by the run that they are for. */
  readonly links: { readonly addresses: Limiter; readonly runs: Limiter };
  /** Links to sign in that were asked for, by network address, and by the mail address that they go to. */
  readonly signIns: { readonly networks: Limiter; readonly addresses: Limiter };
  /**
   * Digests of credentials that were accepted recently, with their owner: a guesser at the same address cannot lock
   * them out.
   */
  readonly welcome: Recent;
}

/** A set of limited size, which forgets the oldest keys first. */
export interface Recent {
  add(key: string, whose?: string): void;
  has(key: string): boolean;
  /** Undefined: the key is not known. */
  whose(key: string): string | undefined;
}

const MAX_KEYS = 10_000;
const WINDOW_MS = 60_000;
/** More than a person opens and searches, and few enough to keep the page's searches cheap. */
const LINKS_OF_ADDRESS = 120, LINKS_TO_RUN = 240;
/** In a quarter of an hour: as many as an office needs, and few enough not to fill a mailbox. */
const SIGN_INS_OF_NETWORK = 60, SIGN_INS_TO_ADDRESS = 5, SIGN_INS_MS = 15 * WINDOW_MS;

/** `limits` are per minute; 0: no limit. `requests` is of a token. */
export function createRates(limits: { requests: number; logins: number }, clockMs: () => number): Rates {
  return {
    clockMs,
    organizations: limits.requests === 0 ? null : createLimiter(limits.requests * TOKENS_WORTH_AN_ORGANIZATION),
    requests: limits.requests === 0 ? null : createLimiter(limits.requests),
    logins: limits.logins === 0 ? null : createLimiter(limits.logins),
    links: { addresses: createLimiter(LINKS_OF_ADDRESS), runs: createLimiter(LINKS_TO_RUN) },
    signIns: {
      networks: createLimiter(SIGN_INS_OF_NETWORK, SIGN_INS_MS),
      addresses: createLimiter(SIGN_INS_TO_ADDRESS, SIGN_INS_MS),
    },
    welcome: createRecent(),
  };
}

export function createLimiter(quota: number, windowMs = WINDOW_MS, maxKeys = MAX_KEYS): Limiter {
  const buckets = new Map<string, { level: number; at: number }>();

  function levelOf(key: string, now: number): number {
    const bucket = buckets.get(key);
    // A clock that was set back changes nothing.
    return bucket === undefined
      ? quota
      : Math.min(quota, bucket.level + Math.max(0, now - bucket.at) * quota / windowMs);
  }

  function allowance(allowed: boolean, level: number): Allowance {
    const seconds = (amount: number) => Math.max(0, Math.ceil(amount * windowMs / quota / 1000));
    return {
      allowed,
      remaining: Math.floor(level),
      resetS: seconds(quota - level),
      retryAfterS: level >= 1 ? 0 : Math.max(1, seconds(1 - level)),
    };
  }

  return {
    quota,
    windowS: windowMs / 1000,
    take(key, now) {
      const level = levelOf(key, now);
      const left = level >= 1 ? level - 1 : level;
      // Deleted and set again, so that the map's order is that of the last use.
      buckets.delete(key);
      buckets.set(key, { level: left, at: now });
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value!);
      return allowance(level >= 1, left);
    },
    look(key, now) {
      const level = levelOf(key, now);
      return allowance(level >= 1, level);
    },
  };
}

function createRecent(maxKeys = MAX_KEYS): Recent {
  const keys = new Map<string, string>();
  return {
    add(key, whose = "") {
      if (!keys.delete(key) && keys.size >= maxKeys) keys.delete(keys.keys().next().value!);
      keys.set(key, whose);
    },
    has: (key) => keys.has(key),
    whose: (key) => keys.get(key),
  };
}

/** Digest of a request's credentials, by which they are recognized without being stored. */
export function digestShown(authorization: string | undefined): string {
  return sha256(new TextEncoder().encode(authorization ?? "")).join();
}

/** The network that counts as one address: for IPv6 the /64, as a client with one address of it has all of them. */
export function networkOf(address: string): string {
  const v4 = /(?:^|:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  const [head = "", tail = ""] = address.toLowerCase().split("%")[0]!.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === "" ? 0 : tail.split(":").length;
  while (address.includes("::") && groups.length + rest < 8) groups.push("0");
  return [...groups, ...tail.split(":")].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
