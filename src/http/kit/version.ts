/** One thing's version: as an ETag when it is read, by If-Match when it is written (RFC 9110). */
import type { Context } from "hono";
import { Fault } from "../../model/errors.ts";

interface Versioned {
  readonly version: number;
}

/** Without If-Match, how often a write that met another one is tried on top of it. */
const MAX_ATTEMPTS = 5;

/** Answers with the thing's view, and its version as ETag. */
export function withVersion(c: Context, thing: Versioned, view: object, status: 200 | 201 = 200): Response {
  c.header("etag", `"${thing.version}"`);
  return c.json(view, status);
}

/** Fails with `stale` when the request names other versions than this. */
export function requireMatch(c: Context, thing: Versioned): void {
  const wanted = c.req.header("if-match");
  if (wanted === undefined || wanted.trim() === "*") return;
  if (wanted.split(",").some((tag) => tag.trim() === `"${thing.version}"`)) return;
  throw new Fault("stale", `The version is "${thing.version}" now, but If-Match names ${wanted}; read it again`);
}

/**
 * Writes on top of what is stored. `write` gives null when the version it was handed is no longer the stored one: then
 * all is done again, so that If-Match cannot win a race and a write without it is not lost.
 */
export async function writeVersion<Thing extends Versioned, Result>(
  c: Context,
  load: () => Promise<Thing>,
  write: (current: Thing) => Promise<Result | null>,
): Promise<Result> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const current = await load();
    requireMatch(c, current);
    const result = await write(current);
    if (result !== null) return result;
  }
  throw new Fault("stale", "The resource kept changing during the update; try again");
}
