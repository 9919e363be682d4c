/** `POST /hints/{connection}`: webhooks of sources that report a change. They are signed, so no token is needed. */
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { takeHint } from "../../sources/hint.ts";
import { decodeId } from "../../model/id.ts";
import { tooLarge } from "../../store/runs/cut-body.ts";
import { byAnybody } from "../kit/authorize.ts";
import { incoming } from "../kit/body.ts";
import { describe, NOTHING, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

/** Far more than any source sends. */
const MAX_BYTES = 1024 * 1024;

const hint = route(
  describe("hintConnection", "Report a change at a connection's source", { 204: NOTHING }, {
    description: "The webhook that a source calls, signed as its connector expects. The connection fetches " +
      "soon, once for many hints. The body may be 1 MiB and is used for the signature alone.",
    body: { content: { "*/*": z.unknown().meta({ description: "Any body" }) }, required: false },
    faults: ["unauthorized", "too_large"],
    hides: true,
  }),
  async (c) => {
    const id = decodeId("con", c.req.param("connection"));
    const body = await readAll(incoming(c));
    const header = (name: string) => c.req.header(name) ?? null;
    if (id === null || !await takeHint(c.get("hub"), id, { header, body }, byAnybody(c))) {
      // The same answer in both cases, so that strangers cannot find out which connections exist.
      throw new Fault("unauthorized", "The connection is unknown, or the request is not signed by its source");
    }
    return c.body(null, 204);
  },
);

export const hintRoutes: Hono<Env> = new Hono<Env>()
  .post("/:connection", ...hint);

async function readAll(body: ReadableStream<Uint8Array> | null): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of (body ?? []) as AsyncIterable<Uint8Array<ArrayBuffer>>) {
    size += part.length;
    if (size > MAX_BYTES) throw tooLarge("a hint", MAX_BYTES);
    parts.push(part);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
