/** Requests to the hub over HTTP, with retries: all of them are safe to repeat. */
import { retry } from "../std/retry.ts";

/** The hub has answered that it refuses the request. */
export class HubRefused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "HubRefused";
    this.status = status;
    this.code = code;
  }
}

/** The hub has not answered, or failed. `isFull`: its disk is full; `isBusy`: a limit is reached for a while. */
export class HubUnreachable extends Error {
  readonly isFull: boolean;
  readonly isBusy: boolean;
  /** How long the hub asks clients to wait; 0: it does not. */
  readonly retryAfterMs: number;

  constructor(
    message: string,
    options: { cause?: unknown; isFull?: boolean; isBusy?: boolean; retryAfterMs?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "HubUnreachable";
    this.isFull = options.isFull ?? false;
    this.isBusy = options.isBusy ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

export interface Request {
  /** By default POST with JSON, PUT with bytes, and GET with neither. */
  readonly method?: "DELETE";
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
  /** The number of tries in all. */
  readonly attempts?: number;
  readonly timeoutMs?: number;
}

export interface AskHub {
  /** Resolves with an answer of success, whose body is still to be read. */
  (path: string, request?: Request): Promise<Response>;
}

/** Posts, and ignores the content of the answer. */
export async function post(ask: AskHub, path: string, json: unknown, request: Request = {}): Promise<void> {
  const answer = await ask(path, { ...request, json });
  await answer.body?.cancel();
}

/** RFC 4918, 11.5. */
const INSUFFICIENT_STORAGE = 507;
/** RFC 6585, 4. */
const TOO_MANY_REQUESTS = 429;
const TIMEOUT_MS = 60_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 250, LONGEST_PAUSE_MS = 10_000;

/** `bridge` returns the id that the hub has given the bridge; null: it has not yet. */
export function createAskHub(
  options: { url: string; token: string; bridge: () => string | null; fetch?: typeof fetch; firstPauseMs?: number },
): AskHub {
  const { url, token, bridge, fetch: send = fetch, firstPauseMs = FIRST_PAUSE_MS } = options;

  async function once(path: string, request: Request): Promise<Response> {
    const { json, bytes, signal, timeoutMs = TIMEOUT_MS } = request;
    const { method = json !== undefined ? "POST" : bytes !== undefined ? "PUT" : "GET" } = request;
    const id = bridge();
    const timeout = AbortSignal.timeout(timeoutMs);
    let answer: Response;
    try {
      answer = await send(`${url}/v1/bridge${path}`, {
        method,
        redirect: "error",
        headers: {
          authorization: `Bearer ${token}`,
          ...(id === null ? {} : { "muster-bridge": id }),
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...(bytes === undefined ? {} : { "content-type": "application/octet-stream" }),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        ...(bytes === undefined ? {} : { body: bytes }),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new HubUnreachable("The hub does not answer", { cause });
    }
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => ({})) as { code?: string; detail?: string };
    if (answer.status >= 500 || answer.status === TOO_MANY_REQUESTS || answer.status === 408) {
      throw new HubUnreachable(`The hub answers with ${answer.status}: ${problem.detail ?? "no reason"}`, {
        isFull: answer.status === INSUFFICIENT_STORAGE,
        isBusy: answer.status === TOO_MANY_REQUESTS,
        retryAfterMs: readSeconds(answer.headers.get("retry-after")) * 1000,
      });
    }
    throw new HubRefused(
      answer.status,
      problem.code ?? "unknown",
      problem.detail ?? `The hub answers ${answer.status}`,
    );
  }

  return (path, request = {}) => {
    let nextPauseMs = firstPauseMs;
    return retry(() => once(path, request), (error, failures) => {
      if (!(error instanceof HubUnreachable) || failures >= (request.attempts ?? ATTEMPTS)) return null;
      // The caller tries again by itself; until then, other files have their turn.
      if (error.retryAfterMs > LONGEST_PAUSE_MS) return null;
      const pauseMs = Math.max(nextPauseMs, error.retryAfterMs);
      nextPauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      return pauseMs * (0.8 + Math.random() * 0.4);
    }, request.signal);
  };
}

/** Seconds of the hub's Retry-After, which is never a date; 0: there is none. */
function readSeconds(header: string | null): number {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : 0;
}
