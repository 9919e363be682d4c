/** The request's body: as a stream, or read as a whole within a limit. */
import type { Context } from "hono";
import { Fault } from "../../model/errors.ts";
import { type Bytes, tooLarge } from "../../store/runs/cut-body.ts";
import type { Env } from "./env.ts";
import { concatBytes } from "../../std/typed-arrays.ts";

/** The request's body; null: it has none. Handlers read this one, as `c.req.raw.body` may be in use for its digest. */
export function incoming(c: Context<Env>): Bytes | null {
  const watched = c.get("watchedBody");
  return watched === undefined ? c.req.raw.body as Bytes | null : watched.stream;
}

/** Reads the whole body. Fails with `too_large` beyond the limit. */
export async function readBody(headers: Headers, body: Bytes | null, maxBytes: number): Promise<Uint8Array> {
  if (Number(headers.get("content-length") ?? 0) > maxBytes) throw tooLarge("this one", maxBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (const reader = body?.getReader();;) {
    const read = await reader?.read().catch((cause: unknown) => {
      throw new Fault("invalid_request", "The body ended early; send the request again", { cause });
    });
    if (read === undefined || read.done) break;
    size += read.value.length;
    if (size > maxBytes) {
      await reader!.cancel().catch(() => {});
      throw tooLarge("this one", maxBytes);
    }
    chunks.push(read.value);
  }
  return concatBytes(...chunks);
}
