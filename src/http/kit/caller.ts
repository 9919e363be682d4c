/** The sender of a request, as the key of what is stored or counted for each sender. */
import type { Context } from "hono";
import type { Asker } from "../../store/people/heavy-reads.ts";
import type { Env } from "./env.ts";

/** Different for each token, and for each subject of an issuer. */
export function callerOf(c: Context<Env>): string {
  return c.get("token").key;
}

/** For heavy reads: they take turns by organization, and end when the client is gone. */
export function askerOf(c: Context<Env>, organizationId = c.get("organization").id): Asker {
  return { turn: organizationId, signal: c.req.raw.signal };
}
