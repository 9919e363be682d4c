/** Writes through the API, as the console's forms do. */
import type { Context } from "hono";
import type { Env } from "../kit/env.ts";

/**
 * Sends JSON to the API, and gives the JSON of its answer. Fails as the API did. `version`: of the thing when the form was
 * made; somebody else's change since then is not overwritten.
 */
export async function sendJson<Shape>(
  c: Context<Env>,
  method: "POST" | "PATCH",
  path: string,
  body: object,
  version: string | null = null,
): Promise<Shape> {
  const headers = {
    "content-type": "application/json",
    ...(version !== null && /^\d{1,15}$/.test(version) ? { "if-match": `"${version}"` } : {}),
  };
  return await c.get("api")!.read<Shape>(path, { method, headers, body: JSON.stringify(body) });
}
