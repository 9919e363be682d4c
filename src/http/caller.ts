/** Who sends a request, as what is kept for each of them apart. */
import type { Context } from "hono";
import { encodeId } from "../id.ts";
import type { Env } from "./env.ts";

/** One for each token, and never the same for two. */
export function callerOf(c: Context<Env>): string {
  return encodeId("tok", c.get("token").id);
}
