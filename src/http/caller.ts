/** Who sends a request, as what is kept for each of them apart. */
import type { Context } from "hono";
import type { Env } from "./env.ts";

/** One for each token or subject of an issuer, and never the same for two. */
export function callerOf(c: Context<Env>): string {
  return c.get("token").key;
}
