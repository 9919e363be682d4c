/**
 * How much of something each of many may do: a bucket a key, which holds a quota and fills up again over a window.
 *
 * In the memory of one process (on Workers: of one isolate), so that minding a limit costs nothing: n processes grant up
 * to n times as much. Keys that were not heard of for longest are forgotten first, and a full bucket is one that is not
 * there. No I/O; the clock is handed in.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { TOKENS_WORTH_AN_ORGANIZATION } from "../model/limits.ts";

export interface Limiter {
  readonly quota: number;
  readonly windowS: number;
  /** Takes one, if there is one. */
  take(key: string, now: number): Allowance;
  /** The same without taking. */
  look(key: string, now: number): Allowance;
}

export interface Allowance {
  readonly allowed: boolean;
  /** How many more are to be had at once. */
  readonly remaining: number;
  /** Seconds until the quota is whole again, rounded up. */
  readonly resetS: number;
  /** Seconds until one is to be had, rounded up; 0 where one is. */
  readonly retryAfterS: number;
}

/** What the hub minds of requests; each may be null: no limit. */
export interface Rates {
  /**
   * Milliseconds of a clock that nobody sets, from any moment on: whoever is to come in an hour comes in an hour, whatever
   * is done to the machine's time meanwhile.
   */
  readonly clockMs: () => number;
  /** Requests, by who sends them. */
  readonly requests: Limiter | null;
  /** Requests, by the organization of who sends them: tokens cost nothing. */
  readonly organizations: Limiter | null;
  /** Failed log-ins, by network address. */
  readonly logins: Limiter | null;
  /** Signed links that are opened: by network address, and by what each of them is for. */
  readonly links: { readonly addresses: Limiter; readonly runs: Limiter };
  /** Digests of what was let in lately, and whose it is: a guesser at the same address does not lock it out. */
  readonly welcome: Recent;
}

/** Forgets what it was told first, once it holds too much. */
export interface Recent {
  add(key: string, whose?: string): void;
  has(key: string): boolean;
  /** Undefined: it was not told. */
  whose(key: string): string | undefined;
}

const MAX_KEYS = 10_000;
const WINDOW_MS = 60_000;
/** More than anybody looks through and searches on a page, and few enough to keep its searches cheap. */
const LINKS_OF_ADDRESS = 120, LINKS_TO_RUN = 240;

/** All per minute; 0: no limit. `requests` is of a token. */
export function createRates(limits: { requests: number; logins: number }, clockMs: () => number): Rates {
  return {
    clockMs,
    organizations: limits.requests === 0 ? null : createLimiter(limits.requests * TOKENS_WORTH_AN_ORGANIZATION),
    requests: limits.requests === 0 ? null : createLimiter(limits.requests),
    logins: limits.logins === 0 ? null : createLimiter(limits.logins),
    links: { addresses: createLimiter(LINKS_OF_ADDRESS), runs: createLimiter(LINKS_TO_RUN) },
    welcome: createRecent(),
  };
}

export function createLimiter(quota: number, windowMs = WINDOW_MS, maxKeys = MAX_KEYS): Limiter {
  const buckets = new Map<string, { level: number; at: number }>();

  function levelOf(key: string, now: number): number {
    const bucket = buckets.get(key);
    // A clock that was set back fills nothing, and takes nothing away.
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
      // Taken out and put in again: the map's order is that of the last use.
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

/** By which what a request was sent with is known again, without being kept. */
export function digestShown(authorization: string | undefined): string {
  return sha256(new TextEncoder().encode(authorization ?? "")).join();
}

/** What counts as one address: of IPv6 the network of 64 bits, which whoever has one address has all of. */
export function networkOf(address: string): string {
  const v4 = /(?:^|:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  const [head = "", tail = ""] = address.toLowerCase().split("%")[0]!.split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === "" ? 0 : tail.split(":").length;
  while (address.includes("::") && groups.length + rest < 8) groups.push("0");
  return [...groups, ...tail.split(":")].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}
