/** A request's body as a stream, and its digest, which is computed while the body is read. Stores nothing of it. */
import { toHex } from "../../std/hex.ts";
import type { Bytes } from "../../store/runs/cut-body.ts";
import { boundaryOf, indexOf, joined, latin1Bytes } from "./multipart.ts";

export interface Hash {
  update(data: Uint8Array): unknown;
  digest(): Uint8Array;
}

export interface WatchedBody {
  readonly stream: Bytes | null;
  /** Of the whole body, in hex. Reads a short rest of it; null if more is unread, or if reading failed. */
  digest(): Promise<string | null>;
}

/** How much of a body a handler may leave unread, such as the bytes after a form's end. */
const MAX_LEFT_BYTES = 64 * 1024;

/** Reads the whole body without storing it. Throws the error of `tooLarge` beyond `maxBytes`. */
export async function discard(body: WatchedBody, maxBytes: number, tooLarge: () => Error): Promise<void> {
  const reader = body.stream?.getReader();
  for (let bytes = 0; reader !== undefined;) {
    const { done, value } = await reader.read();
    if (done) return;
    bytes += value.length;
    if (bytes > maxBytes) {
      await reader.cancel().catch(() => {});
      throw tooLarge();
    }
  }
}

/**
 * Computes the digest of the body while it is read. The boundary of a form is left out of it: clients choose another
 * one each time that they send the same form.
 */
export function watchBody(request: Request, hash: Hash): WatchedBody {
  const reader = (request.body as Bytes | null)?.getReader();
  const boundary = boundaryOf(request.headers.get("content-type") ?? "");
  const meter = boundary === null ? hash : withoutBoundary(hash, boundary);
  let state: "open" | "ended" | "broken" = reader === undefined ? "ended" : "open";

  async function read(): Promise<Uint8Array | null> {
    try {
      const { done, value } = await reader!.read();
      if (done) state = "ended";
      else meter.update(value);
      return done ? null : value;
    } catch (error) {
      state = "broken";
      throw error;
    }
  }

  return {
    stream: reader === undefined ? null : new ReadableStream<Uint8Array>({
      async pull(controller) {
        const data = await read();
        if (data === null) controller.close();
        else controller.enqueue(data);
      },
      async cancel(reason) {
        if (state === "open") state = "broken";
        await reader.cancel(reason);
      },
    }, { highWaterMark: 0 }),
    async digest() {
      for (let left = 0; state === "open";) {
        left += (await read().catch(() => null))?.length ?? 0;
        if (left <= MAX_LEFT_BYTES) continue;
        state = "broken";
        await reader!.cancel().catch(() => {});
      }
      if (state !== "ended") return null;
      return toHex(meter.digest());
    },
  };
}

function withoutBoundary(hash: Hash, boundary: string): Hash {
  const delimiter = latin1Bytes(`\r\n--${boundary}`);
  const mark = latin1Bytes("\r\n--");
  // The first boundary has no line end before it. With one added here, it is found like all others.
  let rest = latin1Bytes("\r\n");
  return {
    update(data) {
      const bytes = joined(rest, data);
      let from = 0;
      for (let at = indexOf(bytes, delimiter); at >= 0; at = indexOf(bytes, delimiter, from)) {
        hash.update(bytes.subarray(from, at));
        hash.update(mark);
        from = at + delimiter.length;
      }
      // The last bytes may be the beginning of a boundary, so they wait for the next ones.
      const sure = Math.max(from, bytes.length - delimiter.length + 1);
      hash.update(bytes.subarray(from, sure));
      rest = bytes.slice(sure);
    },
    digest() {
      hash.update(rest);
      return hash.digest();
    },
  };
}
