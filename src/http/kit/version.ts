/** Versions of things: sent as an ETag when a thing is read, compared with If-Match when it is written (RFC 9110). */
import type { Context } from "hono";
import type { By } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import type { Database } from "../../store/database.ts";
import type { Env } from "./env.ts";

interface Versioned {
  readonly version: number;
}

type Load<Thing> = (c: Context<Env>) => Promise<Thing>;

/** Writes on top of `current`, as the store's functions do. */
type Write<Thing, Result> = (db: Database, current: Thing, now: number, by: By) => Promise<Result>;

/** How often a write is tried again when another write came in between. */
const MAX_ATTEMPTS = 5;

/** Answers with the thing's view, and its version as the ETag. */
export function withVersion(c: Context, thing: Versioned, view: object, status: 200 | 201 = 200): Response {
  c.header("etag", `"${thing.version}"`);
  return c.json(view, status);
}

/** Answers a GET of one thing. */
export async function getVersion<Thing extends Versioned>(
  c: Context<Env>,
  load: Load<Thing>,
  view: (thing: Thing) => object,
): Promise<Response> {
  const thing = await load(c);
  return withVersion(c, thing, view(thing));
}

/** Fails with `stale` when If-Match names other versions than this one. */
export function requireMatch(c: Context, thing: Versioned): void {
  const wanted = c.req.header("if-match");
  if (wanted === undefined || wanted.trim() === "*") return;
  if (wanted.split(",").some((tag) => tag.trim() === `"${thing.version}"`)) return;
  throw new Fault("stale", `The version is "${thing.version}" now, but If-Match names ${wanted}; read it again`);
}

/**
 * Loads the thing, compares its version with If-Match, and writes. `write` returns null when the version that it was
 * given is no longer the stored one. Then everything is done again: If-Match cannot win a race, and a write without it
 * is not lost.
 */
export async function writeVersion<Thing extends Versioned, Result>(
  c: Context<Env>,
  load: Load<Thing>,
  write: Write<Thing, Result | null>,
): Promise<Result> {
  const { db, now } = c.get("hub");
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const current = await load(c);
    requireMatch(c, current);
    const result = await write(db, current, now(), c.get("by"));
    if (result !== null) return result;
  }
  throw new Fault("stale", "The resource kept changing during the update; try again");
}

/** The same, answered with the view of what was written. */
export async function changeVersion<Thing extends Versioned>(
  c: Context<Env>,
  load: Load<Thing>,
  write: Write<Thing, Thing | null>,
  view: (thing: Thing) => object,
): Promise<Response> {
  const changed = await writeVersion(c, load, write);
  return withVersion(c, changed, view(changed));
}

/** Answers a DELETE of one thing. `remove` returns false when the thing has changed since it was loaded. */
export async function deleteVersion<Thing extends Versioned>(
  c: Context<Env>,
  load: Load<Thing>,
  remove: Write<Thing, boolean>,
): Promise<Response> {
  await writeVersion(c, load, async (...current) => await remove(...current) || null);
  return c.body(null, 204);
}
