/** Where a handler takes a request's body from. */
import type { Context } from "hono";
import type { Bytes } from "../../store/runs/drop-content.ts";
import type { Env } from "./env.ts";

/** The request's body; null when it has none. To be read instead of `c.req.raw.body`: somebody may be watching it. */
export function incoming(c: Context<Env>): Bytes | null {
  const watched = c.get("watchedBody");
  return watched === undefined ? c.req.raw.body as Bytes | null : watched.stream;
}
