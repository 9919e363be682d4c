/** Who sends a request, as what is kept for each of them apart. */
import type { Context } from "hono";
import type { Asker } from "../../store/people/heavy-reads.ts";
import type { Env } from "./env.ts";

/** One for each token or subject of an issuer, and never the same for two. */
export function callerOf(c: Context<Env>): string {
  return c.get("token").key;
}

/** For reads beside the request: its organization's turn, as long as somebody waits for the answer. */
export function askerOf(c: Context<Env>, organizationId = c.get("organization").id): Asker {
  return { turn: organizationId, signal: c.req.raw.signal };
}
