/**
 * The `fetch` that connectors get: authorized, limited to the connector's own hosts, through the outbound gate, and
 * retried where that may help. Time and randomness are passed in.
 *
 * The first 8 MiB of a response are read before the connector gets it, so that one which breaks off is simply requested
 * again. The rest of a longer one is streamed, and a break fails the connector's read.
 */
import { SourceFault, type SourceFetch, type SourceRequest } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import { parseRetryAfter } from "../notify/schedule.ts";
import { type Outbound, type OutboundAnswer, OutboundRefused } from "../security/outbound.ts";
import { MINUTE_MS } from "../std/time.ts";

export interface SourceFetchOptions {
  readonly outbound: Outbound;
  /** Each as in a URL: in lower case, with its port unless that is 443. */
  readonly hosts: readonly string[];
  /** Headers that authorize a request. `anew`: the last ones were refused. Null: there are no others. */
  readonly authorize: (anew: boolean) => Promise<Record<string, string> | null>;
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Waits; rejects when the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Including the first one; 6 by default. */
  readonly maxAttempts?: number;
  /** Returns a number from 0 to 1. */
  readonly random?: () => number;
  /** Called before each retry. `status`: of the failed attempt; null: it had no response. */
  readonly onRetry?: (what: { readonly status: number | null; readonly againMs: number }) => void;
}

const MAX_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 1_000, MAX_PAUSE_MS = 60_000;
/** After a longer Retry-After, the source is asked again by the connection's next run. */
const MAX_RETRY_AFTER_MS = 10 * MINUTE_MS;
const TIMEOUT_MS = 120_000, MAX_TIMEOUT_MS = 600_000;
const MAX_BYTES = 512 * 1024 * 1024;
const MAX_HELD_BYTES = 8 * 1024 * 1024;
const EMPTY: ReadonlySet<number> = new Set([101, 204, 205, 304]);

export function createSourceFetch(options: SourceFetchOptions): SourceFetch {
  const { signal, wait, random = Math.random, maxAttempts = MAX_ATTEMPTS } = options;
  return async (url, request = {}) => {
    const target = judge(String(url), options);
    let renewed = false;
    for (let attempt = 1;; attempt++) {
      const last = attempt >= maxAttempts;
      let answer: Response;
      try {
        answer = await ask(target, request, options);
      } catch (error) {
        // Only what may pass by itself is retried, such as a token endpoint that does not answer.
        const isPassing = error instanceof SourceFault
          ? error.kind === "connection"
          : !(error instanceof Fault || isWrongCertificate(error));
        if (signal.aborted) throw error;
        if (!isPassing) throw isWrongCertificate(error) ? badCertificate(target, error) : error;
        if (last) throw error instanceof SourceFault ? error : unreachable(target, error);
        const againMs = pauseMs(attempt, random());
        options.onRetry?.({ status: null, againMs });
        await wait(againMs, signal);
        continue;
      }
      if (answer.status === 401 && !renewed) {
        // It is asked once more if there are other credentials.
        renewed = await options.authorize(true) !== null;
        if (!renewed) return answer;
        await answer.body?.cancel();
        continue;
      }
      if (!isTransient(answer.status) || last) return answer;
      const asked = parseRetryAfter(answer.headers.get("retry-after"), options.now());
      if (asked !== null && asked > MAX_RETRY_AFTER_MS) return answer;
      const againMs = Math.max(asked ?? 0, pauseMs(attempt, random()));
      await answer.body?.cancel();
      options.onRetry?.({ status: answer.status, againMs });
      await wait(againMs, signal);
    }
  };
}

function judge(text: string, { hosts, outbound }: SourceFetchOptions): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw new SourceFault("settings", "The connector asks for something that is not a URL");
  if (!hosts.includes(url.host)) {
    throw new SourceFault("settings", `"${url.host}" is not one of the hosts that the connector may ask`);
  }
  const refusal = outbound.refusal(url.href);
  if (refusal !== null) throw new SourceFault("settings", refusal);
  return url;
}

async function ask(url: URL, request: SourceRequest, options: SourceFetchOptions): Promise<Response> {
  const given = Object.entries(request.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  const headers = {
    accept: "*/*",
    "user-agent": "Muster",
    ...Object.fromEntries(given.filter(([name]) => name !== "authorization" && name !== "host")),
    ...await options.authorize(false) ?? {},
  };
  let answer: OutboundAnswer;
  try {
    answer = await options.outbound(url.href, {
      method: request.method ?? "GET",
      headers,
      body: request.body,
      timeoutMs: Math.min(request.timeoutMs ?? TIMEOUT_MS, MAX_TIMEOUT_MS),
      maxBytes: MAX_BYTES,
      signal: options.signal,
    });
  } catch (error) {
    if (error instanceof OutboundRefused) throw new SourceFault("settings", error.message, { cause: error });
    throw error;
  }
  const status = answer.status >= 200 && answer.status <= 599 ? answer.status : 502;
  if (EMPTY.has(status)) {
    await answer.body.cancel();
    return new Response(null, { status, headers: answer.headers });
  }
  return new Response(await held(answer.body, url), { status, headers: answer.headers });
}

/** The body with its first bytes already read; fails when it breaks off within those. */
async function held(body: ReadableStream<Uint8Array>, url: URL): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const reader = body.getReader();
  const first: Uint8Array[] = [];
  let size = 0, ended = false;
  while (size <= MAX_HELD_BYTES) {
    const { done, value } = await reader.read();
    if (done) {
      ended = true;
      break;
    }
    size += value.length;
    first.push(value);
  }
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const chunk = first.shift();
      if (chunk !== undefined) return controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
      if (ended) return controller.close();
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      } catch (error) {
        controller.error(unreachable(url, error, "broke off in the middle of its answer"));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/** Whether a retry may have another status. */
function isTransient(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Grows with each attempt, and differs by chance, so that requests that failed together are not retried together. */
function pauseMs(attempt: number, chance: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 3 ** (attempt - 1)) * (0.8 + 0.4 * chance);
}

/** Codes of certificates that stay wrong however often the source is asked. */
const WRONG_CERTIFICATE =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|CERT_(HAS_EXPIRED|NOT_YET_VALID|REVOKED|UNTRUSTED|REJECTED|SIGNATURE_FAILURE)|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY_LEAF_SIGNATURE|GET_ISSUER_CERT(_LOCALLY)?))$/;

function isWrongCertificate(error: unknown): boolean {
  return WRONG_CERTIFICATE.test(codeOf(error) ?? "");
}

function codeOf(error: unknown): string | null {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : null;
}

function badCertificate(url: URL, cause: unknown): SourceFault {
  const message = `The certificate of the source at "${url.host}" is not good for it (${codeOf(cause)})`;
  return new SourceFault("connection", message, { cause });
}

function unreachable(url: URL, cause: unknown, what = "does not answer"): SourceFault {
  const why = codeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
  return new SourceFault("connection", `The source at "${url.host}" ${what} (${why.slice(0, 200)})`, { cause });
}
