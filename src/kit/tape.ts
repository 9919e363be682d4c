/**
 * A tape: what a source answered once, to be played again in its place. One JSON file that people can read and review.
 *
 *     { "tape": 1, "exchanges": [
 *       { "request": { "method": "GET", "url": "https://api.example.com/people?page=1", "body_sha256": null },
 *         "answer": { "status": 200, "headers": { "content-type": "application/json" }, "body": "…" } } ] }
 *
 * A request is found by its method, its URL and the SHA-256 of its body; none of its headers are kept, as they hold
 * credentials. A body that is no UTF-8 text is `{ "base64": "…" }`.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

export interface Exchange {
  readonly request: {
    readonly method: string;
    readonly url: string;
    /** In hexadecimal; null: it has no body. */
    readonly body_sha256: string | null;
  };
  readonly answer: {
    readonly status: number;
    /** In lower case. */
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | { readonly base64: string };
  };
}

export interface Tape {
  /** Version of this format. */
  readonly tape: 1;
  /** In the order in which they took place. */
  readonly exchanges: readonly Exchange[];
}

/** A source: what it answers to a request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** Of a connection, or of how a body was sent: they are not true of the body as it is kept. */
const LEFT_OUT = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "date",
  "keep-alive",
  "set-cookie",
  "transfer-encoding",
]);
const BODILESS: ReadonlySet<number> = new Set([101, 204, 205, 304]);

/** Reads a tape. Fails for a file that is none. */
export function tape(file: string | URL): Tape {
  const found = JSON.parse(readFileSync(file, "utf8")) as Partial<Tape> | null;
  if (found?.tape !== 1 || !Array.isArray(found.exchanges)) {
    throw new Error(`${file} is no tape: it should have "tape": 1 and "exchanges"`);
  }
  return found as Tape;
}

export function writeTape(file: string | URL, exchanges: readonly Exchange[]): void {
  writeFileSync(file, `${JSON.stringify({ tape: 1, exchanges } satisfies Tape, null, 2)}\n`);
}

/** Both bodies are read to their end: pass clones of what is still needed. */
export async function exchangeOf(request: Request, answer: Response): Promise<Exchange> {
  const headers = [...answer.headers].filter(([name]) => !LEFT_OUT.has(name));
  return {
    request: await keyOf(request),
    answer: {
      status: answer.status,
      headers: Object.fromEntries(headers),
      body: textOf(new Uint8Array(await answer.arrayBuffer())),
    },
  };
}

/**
 * A source that answers as the tape does. A request that took place several times gets its answers in their order, and
 * the last one from then on. Fails for a request that is not on the tape. Each source begins the tape anew.
 */
export function playTape({ exchanges }: Tape): Handler {
  const answers = new Map<string, Exchange["answer"][]>();
  for (const { request, answer } of exchanges) {
    const key = JSON.stringify([request.method, request.url, request.body_sha256]);
    answers.set(key, [...answers.get(key) ?? [], answer]);
  }
  return async (request) => {
    const { method, url, body_sha256 } = await keyOf(request);
    const found = answers.get(JSON.stringify([method, url, body_sha256]));
    if (found === undefined) throw new Error(`The tape has no answer to ${method} ${url}: record it again`);
    const { status, headers, body } = found.length > 1 ? found.shift()! : found[0]!;
    return new Response(BODILESS.has(status) ? null : bytesOf(body), { status, headers });
  };
}

async function keyOf(request: Request): Promise<Exchange["request"]> {
  const body = new Uint8Array(await request.arrayBuffer());
  return {
    method: request.method,
    url: request.url,
    body_sha256: body.length === 0 ? null : createHash("sha256").update(body).digest("hex"),
  };
}

function textOf(bytes: Uint8Array): Exchange["answer"]["body"] {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return { base64: Buffer.from(bytes).toString("base64") };
  }
}

function bytesOf(body: Exchange["answer"]["body"]): Uint8Array<ArrayBuffer> {
  return typeof body === "string" ? new TextEncoder().encode(body) : new Uint8Array(Buffer.from(body.base64, "base64"));
}
