/** The request's body, as handlers read it. */
import type { Context } from "hono";
import type { Bytes } from "../../store/runs/drop-content.ts";
import type { Env } from "./env.ts";

/** The request's body; null: it has none. Handlers read this one, as `c.req.raw.body` may be in use for its digest. */
export function incoming(c: Context<Env>): Bytes | null {
  const watched = c.get("watchedBody");
  return watched === undefined ? c.req.raw.body as Bytes | null : watched.stream;
}
