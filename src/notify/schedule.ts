/** When a delivery is tried again, and when an endpoint has failed for too long. No I/O, no clock, no randomness. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../std/time.ts";

const SECOND_MS = 1_000;

/** Pauses after each failed attempt; after the last one the delivery has failed. */
export const DELIVERY_GAPS_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];
const JITTER = 0.2;
/** The longest Retry-After that is honored. */
const MAX_WAIT_MS = 24 * HOUR_MS;

/**
 * When the attempt after number `step` (from 1 on) is due; null: there are no more attempts. `chance`: 0 to 1. `askedMs`:
 * the receiver's Retry-After, which makes a gap longer, never shorter.
 */
export function nextAttempt(step: number, now: number, chance: number, askedMs: number | null): number | null {
  const gap = DELIVERY_GAPS_MS[step - 1];
  if (gap === undefined) return null;
  const jittered = Math.round(gap * (1 - JITTER + 2 * JITTER * chance));
  return now + Math.max(jittered, Math.min(askedMs ?? 0, MAX_WAIT_MS));
}

/** Milliseconds until a Retry-After (RFC 9110, 10.2.3), which is in seconds or a date; null: it is neither. */
export function parseRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * SECOND_MS;
  const at = /^[A-Z][a-z]{2}/.test(value.trim()) ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/**
 * An endpoint is switched off after MAX_FAILING_MS without a success, if its first and its last failure are at least
 * MIN_FAILING_SPAN_MS apart: one bad hour is not enough.
 */
export const MAX_FAILING_MS = 5 * DAY_MS, MIN_FAILING_SPAN_MS = 12 * HOUR_MS;
