/** Refuses query parameters where an operation has none: a misspelled one would be ignored, and nobody would notice. */
import type { MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { Fault } from "../../model/errors.ts";
import { documented, factsOf } from "./describe.ts";
import type { Env } from "./env.ts";

const refuse: MiddlewareHandler<Env> = async (c, next) => {
  const names = Object.keys(c.req.query());
  const facts = names.length === 0 ? [] : matchedRoutes(c).map(({ handler }) => factsOf(handler));
  // Queries of operations that have one are checked against their schemas (validate.ts).
  if (facts.some(({ operationId }) => operationId !== undefined) && !facts.some(({ query }) => query !== undefined)) {
    const errors = names.map((name) => ({ pointer: `?${name}`, detail: `Unknown field "${name}"` }));
    throw new Fault("invalid_request", `The query is invalid: ${errors[0]!.detail} (${errors[0]!.pointer})`, {
      errors,
    });
  }
  await next();
};

export const refuseQuery = documented(refuse, { faults: ["invalid_request"] });
