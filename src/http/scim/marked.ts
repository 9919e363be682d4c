/** Marks a route as one of SCIM, which describes itself by `/Schemas` and is no part of the OpenAPI document. */
import type { MiddlewareHandler } from "hono";
import { documented } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";

export const SCIM: MiddlewareHandler<Env> = documented((_, next) => next(), { scim: true });
