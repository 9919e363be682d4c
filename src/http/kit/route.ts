/**
 * How one operation is written: its middleware and its handler as a named constant, which a table puts under a path.
 *
 *     const get = route(describe(…), requires("runs:read"), async (c) => …);
 *     routes.get("/:id", ...get);
 */
import { createFactory } from "hono/factory";
import type { Env } from "./env.ts";

/** Every parameter that a path may have. A handler does not know its path, so all of them are strings to it. */
type Parameters = "/:id/:key/:part/:pgp_key/:connection/:code/:file/:signed";

export const { createHandlers: route } = createFactory<Env, Parameters>();
