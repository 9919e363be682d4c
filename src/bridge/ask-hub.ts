/** Asks the hub over HTTP, again where it is worth it: what it is asked is safe to repeat. */
import { retry } from "../std/retry.ts";

/** The hub has answered that it will not. */
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

/** The hub has not answered, or could not; `isFull`: because it has no room; `isBusy`: because of a limit, for a while. */
export class HubUnreachable extends Error {
  readonly isFull: boolean;
  readonly isBusy: boolean;
  /** When the hub would like to be asked again; 0: it has not said. */
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
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly json?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal;
  /** How often it is tried in all. */
  readonly attempts?: number;
  readonly timeoutMs?: number;
}

export interface AskHub {
  /** The answer, which is one of success; its body is still to be read. */
  (path: string, request?: Request): Promise<Response>;
}

/** RFC 4918, 11.5. */
const INSUFFICIENT_STORAGE = 507;
/** RFC 6585, 4. */
const TOO_MANY_REQUESTS = 429;
const TIMEOUT_MS = 60_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 250, LONGEST_PAUSE_MS = 10_000;

/** `bridge` gives the id that the hub knows the bridge by; null before it does. */
export function createAskHub(
  options: { url: string; token: string; bridge: () => string | null; fetch?: typeof fetch; firstPauseMs?: number },
): AskHub {
  const { url, token, bridge, fetch: send = fetch, firstPauseMs = FIRST_PAUSE_MS } = options;

  async function once(path: string, request: Request): Promise<Response> {
    const { method = "GET", json, bytes, signal, timeoutMs = TIMEOUT_MS } = request;
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
      // Whoever asks comes again by itself; meanwhile others of its files have their turn.
      if (error.retryAfterMs > LONGEST_PAUSE_MS) return null;
      const pauseMs = Math.max(nextPauseMs, error.retryAfterMs);
      nextPauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      return pauseMs * (0.8 + Math.random() * 0.4);
    }, request.signal);
  };
}

/** Seconds of a Retry-After of the hub's, which says no dates; 0 where there is none. */
function readSeconds(header: string | null): number {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : 0;
}
