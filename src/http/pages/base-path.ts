/** Where the hub's pages are. */
import type { Context } from "hono";
import type { Env } from "../kit/env.ts";

/** Begins the path of every page. It is of the hub's public address, and leaves out the host, which may differ. */
export function basePath(c: Context<Env>): string {
  return new URL(c.get("hub").publicUrl).pathname.replace(/\/+$/, "");
}
