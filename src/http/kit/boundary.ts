/**
 * Around every request: its id, the headers that every answer has, its line in the log and its count in the metrics.
 */
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { z } from "zod";
import type { Hub } from "../../hub.ts";
import { redact } from "../../security/redact.ts";
import { documented } from "./describe.ts";
import type { Env } from "./env.ts";

/** Other methods are counted together, as a client can make up any name. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Supervisors and bridges call these every few seconds, so only failures are logged. */
const QUIET: ReadonlySet<string> = new Set(["/healthz", "/readyz", "/v1/bridge/connections", "/v1/bridge/health"]);

const REQUEST_ID = {
  description: "The request's own `X-Request-Id`, or a new one; the hub's log has it",
  schema: z.string().meta({ examples: ["3f0c1d8e-6a52-4f1b-9d3e-2b7a90c4e516"] }),
};

export function boundary(hub: Hub): MiddlewareHandler<Env> {
  return documented<MiddlewareHandler<Env>>(async (c, next) => {
    const requestId = requestIdOf(c);
    c.set("hub", {
      ...hub,
      requestId,
      log: (event, details) => hub.log(event, { request_id: requestId, ...details }),
    });
    c.set("requestId", requestId);
    const startedAt = hub.now();
    await next();
    c.res.headers.set("x-request-id", requestId);
    c.res.headers.set("x-content-type-options", "nosniff");
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
    report(c, hub, (hub.now() - startedAt) / 1000);
  }, { answerHeaders: { "X-Request-Id": REQUEST_ID } });
}

function requestIdOf(c: Context<Env>): string {
  const given = c.req.header("x-request-id") ?? "";
  // An id that has a secret in it would put the secret into the log.
  return /^[\w.:-]{1,128}$/.test(given) && redact(given) === given ? given : crypto.randomUUID();
}

function report(c: Context<Env>, hub: Hub, seconds: number): void {
  const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith("*"))?.path ?? "none";
  const method = METHODS.has(c.req.method) ? c.req.method : "OTHER";
  const { status, ok } = c.res;
  hub.metrics?.countRequest(method, route, status, seconds);
  if (QUIET.has(route) && ok) return;
  hub.log("request", { request_id: c.get("requestId"), method, route, status, ms: Math.round(seconds * 1000) });
}
