/** Makes one attempt at a claimed delivery and returns its outcome. Never fails: an error is an outcome, too. */
import type { Hub } from "../hub.ts";
import { OutboundRefused, readFirst } from "../security/outbound.ts";
import { type Claimed, type Outcome, TEST_TYPE } from "../store/notify/deliveries.ts";
import { makeMessage, type Memory } from "./message.ts";
import { nextAttempt, parseRetryAfter } from "./schedule.ts";

const TIMEOUT_MS = 15_000;
const ANSWER_BYTES = 1024;
const GONE = 410;

export interface Attempted {
  readonly outcome: Outcome;
  /** The receiver answered 410 Gone. */
  readonly gone: boolean;
}

export interface AttemptOptions {
  /** Returns a number from 0 to 1. */
  readonly chance?: () => number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly memory?: Memory;
}

export async function attempt(hub: Hub, claimed: Claimed, options: AttemptOptions = {}): Promise<Attempted> {
  const { delivery, endpoint } = claimed;
  const { chance = Math.random, timeoutMs = TIMEOUT_MS, signal } = options;
  const at = hub.now();
  let statusCode: number | null = null, error: string | null = null, answer: string | null = null;
  let askedMs: number | null = null, isLost = false;
  try {
    const message = await makeMessage(hub, claimed, options.memory);
    if ("lost" in message) {
      isLost = true;
      error = message.lost;
    } else {
      const got = await hub.outbound(endpoint.url, {
        method: "POST",
        ...message,
        timeoutMs,
        maxBytes: Number.MAX_SAFE_INTEGER,
        signal,
      });
      statusCode = got.status;
      askedMs = parseRetryAfter(got.headers.get("retry-after"), hub.now());
      if (statusCode < 200 || statusCode > 299) error = `The answer is ${statusCode}, and should be 200 to 299`;
      // The status decides the outcome, even if the body cannot be read.
      answer = await readFirst(got, ANSWER_BYTES).then(readable, () => null);
    }
  } catch (cause) {
    error = describe(cause);
  }
  const isTest = delivery.type === TEST_TYPE;
  const again = error === null || isLost || isTest
    ? null
    : nextAttempt(delivery.step + 1, hub.now(), chance(), askedMs);
  return {
    outcome: {
      id: delivery.id,
      epoch: delivery.epoch,
      organizationId: delivery.organizationId,
      endpointId: endpoint.id,
      at,
      latencyMs: Math.max(0, hub.now() - at),
      statusCode,
      error,
      answer,
      status: error === null ? "succeeded" : again === null ? "failed" : "pending",
      dueAt: again,
      counts: !isTest && !isLost,
    },
    gone: statusCode === GONE && !isTest,
  };
}

/** Text that SQLite and JSON can store: invalid UTF-8 and zero characters are replaced. */
function readable(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replaceAll("\0", "\ufffd");
}

/** The network's error in one line, without its stack. */
function describe(cause: unknown): string {
  if (cause instanceof OutboundRefused) return cause.message;
  const { name = "Error", message = "", code } = cause as { name?: string; message?: string; code?: string };
  if (name === "TimeoutError") return `There was no answer within ${TIMEOUT_MS / 1000} s`;
  return `${code === undefined ? "" : `${code}: `}${message || name}`.slice(0, 500);
}
