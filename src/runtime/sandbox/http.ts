/** Answers a child's requests with a connector's own `fetch`, and passes the bodies of responses on in pieces. */
import type { SourceFetch, SourceRequest } from "../../connector.ts";
import { createLane } from "../../std/lanes.ts";
import type { Meanwhile } from "./call-clock.ts";
import type { Answers } from "./calls.ts";
import type { ChunkAsk, HttpAnswer, HttpAsk } from "./protocol.ts";

export interface Http {
  readonly answers: Pick<Answers, "http" | "chunk">;
  /** A body that the child has not begun to read; null: there is none. It is not the child's any more. */
  take(body: number): ReadableStream<Uint8Array> | null;
  /** Gives up the bodies that were not read to their end. */
  close(): Promise<void>;
}

/** Requests, and responses that are not read to their end, at a time. Further requests wait. */
const MAX_OPEN = 32;
/** Bytes of a body that are sent at a time. */
const PIECE_BYTES = 256 * 1024;
const NOTHING = new Uint8Array(0);

interface Body {
  readonly stream: ReadableStream<Uint8Array>;
  /** Null until its first piece is asked for. */
  reader: ReadableStreamDefaultReader<Uint8Array> | null;
  /** What has been read of it and not been asked for. */
  rest: Uint8Array;
  readonly giveBack: () => void;
}

export function createHttp(fetch: SourceFetch): Http {
  const bodies = new Map<number, Body>();
  const places = createLane(MAX_OPEN);
  let opened = 0, isClosed = false;

  function forget(id: number): void {
    bodies.get(id)?.giveBack();
    bodies.delete(id);
  }

  async function giveUp(id: number, { stream, reader }: Body): Promise<void> {
    forget(id);
    await (reader ?? stream).cancel().catch(() => {});
  }

  /** Its place is given back with its body. */
  async function send(url: string, request: SourceRequest, giveBack: () => void): Promise<HttpAnswer> {
    const response = await fetch(url, request);
    const { status, body } = response, headers = [...response.headers];
    if (body === null) {
      giveBack();
      return { status, headers, body };
    }
    if (isClosed) {
      await body.cancel();
      throw new Error("The call has ended");
    }
    bodies.set(++opened, { stream: body, reader: null, rest: NOTHING, giveBack });
    return { status, headers, body: opened };
  }

  return {
    answers: {
      async http(asked: HttpAsk, meanwhile: Meanwhile): Promise<HttpAnswer> {
        const url = String(asked.url), request = requestOf(asked);
        // While it waits the connector's own time runs: one that never reads its responses is ended by it.
        const giveBack = await places.take("");
        try {
          if (isClosed) throw new Error("The call has ended");
          return await meanwhile(() => send(url, request, giveBack));
        } catch (error) {
          giveBack();
          throw error;
        }
      },
      async chunk({ body: id, cancel }: ChunkAsk, meanwhile: Meanwhile): Promise<string | null> {
        const body = bodies.get(id);
        if (body === undefined) return null;
        try {
          const piece = cancel === true ? null : await meanwhile(() => nextPiece(body));
          if (piece !== null) return Buffer.from(piece).toString("base64");
        } catch (error) {
          forget(id);
          throw error;
        }
        await giveUp(id, body);
        return null;
      },
    },
    take(id) {
      const found = bodies.get(id);
      if (found === undefined || found.reader !== null) return null;
      forget(id);
      return found.stream;
    },
    async close() {
      isClosed = true;
      await Promise.all([...bodies].map(([id, body]) => giveUp(id, body)));
    },
  };
}

/** Null: it has ended. */
async function nextPiece(body: Body): Promise<Uint8Array | null> {
  body.reader ??= body.stream.getReader();
  while (body.rest.length === 0) {
    const { done, value } = await body.reader.read();
    if (done) return null;
    body.rest = value;
  }
  const piece = body.rest.subarray(0, PIECE_BYTES);
  body.rest = body.rest.subarray(PIECE_BYTES);
  return piece;
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
