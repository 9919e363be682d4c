/** Answers a child's requests with a connector's own `fetch`, and passes the bodies of responses on in pieces. */
import type { SourceFetch, SourceRequest } from "../../connector.ts";
import { createLane } from "../../std/lanes.ts";
import type { Answers } from "./calls.ts";
import { ConnectorFault } from "./faults.ts";
import type { HttpAnswer, HttpAsk } from "./protocol.ts";

export interface Http {
  readonly answers: Pick<Answers, "http" | "chunk">;
  /** A body that the child has not begun to read; null: there is none. It is not the child's any more. */
  take(body: number): ReadableStream<Uint8Array> | null;
  /** Gives up the bodies that were not read to their end. */
  close(): Promise<void>;
}

/** A connector reads one response after the other, or a few at a time. */
const MAX_OPEN = 32;
/** Further requests wait. */
const REQUESTS = 32;
/** Bytes of a body that are sent at a time. */
const PIECE_BYTES = 256 * 1024;

export function createHttp(fetch: SourceFetch): Http {
  const bodies = new Map<number, ReadableStream<Uint8Array> | AsyncGenerator<Uint8Array, void>>();
  const requests = createLane(REQUESTS);
  let opened = 0;
  return {
    answers: {
      async http(asked: HttpAsk): Promise<HttpAnswer> {
        if (bodies.size >= MAX_OPEN) throw new ConnectorFault(`has ${MAX_OPEN} responses open, of which it read none`);
        const giveBack = await requests.take("");
        const response = await fetch(String(asked.url), requestOf(asked)).finally(giveBack);
        const id = response.body === null ? null : ++opened;
        if (id !== null) bodies.set(id, response.body!);
        return { status: response.status, headers: [...response.headers], body: id };
      },
      async chunk({ body, cancel }: { body: number; cancel?: boolean }): Promise<string | null> {
        let pieces = bodies.get(body);
        if (pieces instanceof ReadableStream) bodies.set(body, pieces = piecesOf(pieces));
        const next = cancel === true ? await pieces?.return() : await pieces?.next();
        if (next?.done === false) return Buffer.from(next.value).toString("base64");
        bodies.delete(body);
        return null;
      },
    },
    take(body) {
      const found = bodies.get(body);
      if (!(found instanceof ReadableStream)) return null;
      bodies.delete(body);
      return found;
    },
    async close() {
      const all = [...bodies.values()];
      await Promise.all(
        all.map((each) => (each instanceof ReadableStream ? each.cancel() : each.return()).catch(() => {})),
      );
      bodies.clear();
    },
  };
}

/** What is of another type than it should be is left out. */
function requestOf({ method, headers, text, base64, timeoutMs }: HttpAsk): SourceRequest {
  const body = typeof text === "string" ? text : typeof base64 === "string" ? Buffer.from(base64, "base64") : undefined;
  return {
    method: method === undefined ? "GET" : String(method),
    headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)])),
    body,
    timeoutMs: typeof timeoutMs === "number" && timeoutMs > 0 ? timeoutMs : undefined,
  };
}

async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) yield chunk.subarray(from, from + PIECE_BYTES);
  }
}
