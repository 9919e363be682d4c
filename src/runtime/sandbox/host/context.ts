/** What a connector finds in the context of `check` and `fetch`: the data that came with the call, and the rest asks the hub. */
import type { AllOfDrop, HttpAnswer } from "../protocol.ts";
import { ask, write } from "./pipe.ts";

/** Lines of the log in one call, or for one page; further ones are left out. And the characters of each. */
const MAX_LINES = 1_000, MAX_LOGGED = 2_000;
let lines = 0;

export function beginLog(): void {
  lines = 0;
}

export function log(of: number | null, text: string): void {
  if (lines++ < MAX_LINES) write({ log: text.slice(0, MAX_LOGGED), of });
}

/** Bodies of responses that the hub still has, by their Response. */
const bodies = new WeakMap<Response, number>();

export function contextFor(of: number, given: Record<string, unknown>): Record<string, unknown> {
  const checkpoint = given.checkpoint as Record<string, unknown> | undefined;
  return {
    ...given,
    fetch: fetchFor(of),
    signal: new AbortController().signal,
    log: (message: unknown) => log(of, String(message)),
    ...(checkpoint === undefined ? {} : {
      checkpoint: { ...checkpoint, save: (state: unknown) => ask(of, "save", state ?? null) },
      startOver: () => ask(of, "startOver", null),
      readDrop: () => readDrop(given.drop),
      read: (body: Response, as?: Record<string, unknown>) => readFor(of, body, as),
      expectTotal: (count: unknown) => void ask(of, "expectTotal", { count }).catch(() => {}),
      warn: (warning: unknown) => void ask(of, "warn", warning).catch(() => {}),
    }),
  };
}

/** The `fetch` of a context: the hub sends the request, with the credentials. */
function fetchFor(of: number) {
  return async (url: unknown, request: Record<string, unknown> = {}): Promise<Response> => {
    const { method, headers, body, timeoutMs } = request;
    const content = body === undefined || body === null
      ? {}
      : typeof body === "string"
      ? { text: body }
      : { base64: (body as Uint8Array & { toBase64(): string }).toBase64() };
    const answer = await ask<HttpAnswer>(of, "http", { url: String(url), method, headers, timeoutMs, ...content });
    const stream = answer.body === null ? null : bodyOf(of, answer.body);
    const response = new Response(stream, { status: answer.status, headers: answer.headers as [string, string][] });
    if (answer.body !== null) bodies.set(response, answer.body);
    return response;
  };
}

function bodyOf(of: number, body: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const chunk = await ask<string | null>(of, "chunk", { body });
      if (chunk === null) controller.close();
      else controller.enqueue(fromBase64(chunk));
    },
    async cancel() {
      await ask(of, "chunk", { body, cancel: true });
    },
  }, { highWaterMark: 0 });
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return (Uint8Array as unknown as { fromBase64(text: string): Uint8Array<ArrayBuffer> }).fromBase64(text);
}

/** Reads by the hub's own readers. What the hub has, it need not send here and back. */
async function* readFor(of: number, body: Response | ReadableStream<Uint8Array>, as: Record<string, unknown> = {}) {
  const isResponse = body instanceof Response, own = isResponse && !body.bodyUsed ? bodies.get(body) : undefined;
  const contentType = as.contentType ?? (isResponse ? body.headers.get("content-type") : null) ?? undefined;
  const reader = await ask<number>(of, "read", { body: own ?? null, contentType, name: as.name });
  if (own === undefined) void feed(of, reader, isResponse ? body.body : body).catch(() => {});
  for (;;) {
    const page = await ask<unknown>(of, "page", { reader });
    if (page === null) return;
    yield page;
  }
}

async function feed(of: number, reader: number, stream: ReadableStream<Uint8Array> | null): Promise<void> {
  for await (const chunk of (stream ?? []) as AsyncIterable<Uint8Array & { toBase64(): string }>) {
    await ask(of, "feed", { reader, base64: chunk.toBase64() });
  }
  await ask(of, "feed", { reader, base64: null });
}

async function* readDrop(drop: unknown): AsyncGenerator<AllOfDrop> {
  if (drop === null) throw new TypeError("There is no drop");
  yield { allOfDrop: true };
}
