/** A request's body as a stream, and its digest, taken while it is read. Holds nothing of it. */
import { toHex } from "../../std/hex.ts";
import type { Bytes } from "../../store/runs/drop-content.ts";
import { boundaryOf, indexOf, latin1Bytes } from "./multipart.ts";

export interface Hash {
  update(data: Uint8Array): unknown;
  digest(): Uint8Array;
}

export interface WatchedBody {
  readonly stream: Bytes | null;
  /** Hex, of the whole body; null when it was not read to its end, and what is left is more than a little. */
  digest(): Promise<string | null>;
}

/** What a handler may leave unread of a body that it is done with, such as what follows a form's end. */
const MAX_LEFT_BYTES = 64 * 1024;

/** Reads all of the body and forgets it; fails with what `tooLarge` gives beyond `maxBytes`. */
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
 * Watches the body as it goes by; holds nothing of it. Of a form the boundary does not count: clients make up another
 * one each time that they send the same.
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
  // The first boundary has no line end before it; with one put there it is found as all others.
  let rest = latin1Bytes("\r\n");
  return {
    update(data) {
      const joined = new Uint8Array(rest.length + data.length);
      joined.set(rest);
      joined.set(data, rest.length);
      let from = 0;
      for (let at = indexOf(joined, delimiter); at >= 0; at = indexOf(joined, delimiter, from)) {
        hash.update(joined.subarray(from, at));
        hash.update(mark);
        from = at + delimiter.length;
      }
      // What may be the beginning of a boundary waits for the next bytes.
      const sure = Math.max(from, joined.length - delimiter.length + 1);
      hash.update(joined.subarray(from, sure));
      rest = joined.slice(sure);
    },
    digest() {
      hash.update(rest);
      return hash.digest();
    },
  };
}
