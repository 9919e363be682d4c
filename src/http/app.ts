/** The hub as an HTTP application on Web standards: every route, and the boundary around them. */
import { Hono, type MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { matchedRoutes } from "hono/route";
import { z } from "zod";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { auditRoutes } from "./api/audit.ts";
import { redact } from "../security/redact.ts";
import { authenticate } from "./kit/authorize.ts";
import { bridgeRoutes } from "./bridge/routes.ts";
import { bridgeErasureRoutes } from "./bridge/erasures.ts";
import { bridgeFileRoutes } from "./bridge/files.ts";
import { bridgesRoutes } from "./api/bridges.ts";
import { changeRoutes } from "./api/changes.ts";
import { connectionRoutes } from "./api/connections.ts";
import { connectorRoutes } from "./api/connectors.ts";
import { customFieldRoutes } from "./api/custom-fields.ts";
import { deliveryRoutes } from "./api/deliveries.ts";
import { departmentRoutes } from "./api/departments.ts";
import { dropRoutes } from "./api/drops.ts";
import { bridgeLoginRoutes } from "./bridge/logins.ts";
import { sftpLoginRoutes } from "./api/sftp-logins.ts";
import { telling } from "./kit/describe.ts";
import { docsRoutes } from "./pages/docs.ts";
import type { Env } from "./kit/env.ts";
import { errorPages } from "./pages/error-pages.ts";
import { eventRoutes } from "./api/events.ts";
import { healthRoutes } from "./api/health.ts";
import { hintRoutes } from "./api/hints.ts";
import { idempotent } from "./kit/idempotency.ts";
import { importRoutes } from "./api/import.ts";
import { linkRoutes } from "./api/links.ts";
import { mailRoutes } from "./api/mails.ts";
import { limitLogins, limitRequests } from "./kit/limits.ts";
import { metricsRoutes } from "./api/metrics.ts";
import { oauthRoutes } from "./pages/oauth-callback.ts";
import { organizationRoutes } from "./api/organizations.ts";
import { pgpKeyRoutes } from "./api/pgp-keys.ts";
import { problem } from "./kit/problem.ts";
import { reportRoutes } from "./pages/reports.ts";
import { runDecisionRoutes } from "./api/run-decisions.ts";
import { runPageRoutes } from "./pages/run-page.ts";
import { runResultRoutes } from "./api/run-results.ts";
import { runRoutes } from "./api/runs.ts";
import { sourceRoutes } from "./api/sources.ts";
import { templateRoutes } from "./api/templates.ts";
import { tokenRoutes } from "./api/tokens.ts";
import { uploadRoutes } from "./api/uploads.ts";
import { userRoutes } from "./api/users.ts";
import { webhookEndpointActionRoutes } from "./api/webhook-endpoint-actions.ts";
import { webhookEndpointRoutes } from "./api/webhook-endpoints.ts";

/** Others are counted together: their names are up to whoever asks. */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const QUIET: ReadonlySet<string> = new Set([
  "/healthz",
  "/readyz",
  "/v1/bridge/connections",
  "/v1/bridge/health",
]);

const REQUEST_ID = {
  description: "The request's own `X-Request-Id`, or a new one; the hub's log has it",
  schema: z.string().meta({ examples: ["3f0c1d8e-6a52-4f1b-9d3e-2b7a90c4e516"] }),
};

/** An application that answers for this hub. Keeps no state of its own, so any number may be made. */
export function createApp(hub: Hub): Hono<Env> {
  const app = new Hono<Env>();

  const boundary: MiddlewareHandler<Env> = async (c, next) => {
    const given = c.req.header("x-request-id") ?? "";
    // Whoever sends a secret as an id would find it in the log.
    const requestId = /^[\w.:-]{1,128}$/.test(given) && redact(given) === given ? given : crypto.randomUUID();
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
    const seconds = (hub.now() - startedAt) / 1000;
    const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith("*"))?.path ?? "none";
    const method = METHODS.has(c.req.method) ? c.req.method : "OTHER";
    hub.metrics?.countRequest(method, route, c.res.status, seconds);
    // Whoever looks after the process, and each bridge, asks every few seconds; only what is not well is worth a line.
    if (QUIET.has(route) && c.res.ok) return;
    hub.log("request", {
      request_id: requestId,
      method,
      route,
      status: c.res.status,
      ms: Math.round(seconds * 1000),
    });
  };
  app.use(telling(boundary, { answerHeaders: { "X-Request-Id": REQUEST_ID } }));
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed(c, methods) {
      const allow = methods.join(", ");
      const answer = problem(
        c,
        new Fault("method_not_allowed", `The method is ${c.req.method}; it should be ${allow}`),
      );
      answer.headers.set("allow", allow);
      return answer;
    },
  }));
  app.onError((error, c) => problem(c, error));
  app.notFound((c) => problem(c, new Fault("not_found", `There is nothing at "${c.req.path}"`)));

  app.route("/", healthRoutes());
  app.route("/errors", errorPages());
  app.route("/r", runPageRoutes());
  app.route("/reports", reportRoutes());
  app.route("/oauth", oauthRoutes());
  app.route("/", docsRoutes(app));
  // Whoever cannot sign is a failed log-in.
  app.use("/hints/*", limitLogins);
  app.route("/hints", hintRoutes());

  app.use("/v1/*", limitLogins, authenticate, limitRequests, idempotent);
  app.use("/metrics", limitLogins, authenticate, limitRequests);
  app.route("/metrics", metricsRoutes());
  app.route("/v1/connectors", connectorRoutes());
  app.route("/v1", organizationRoutes());
  app.route("/v1/tokens", tokenRoutes());
  app.route("/v1/connections", connectionRoutes());
  app.route("/v1/connections", sftpLoginRoutes());
  app.route("/v1/connections", pgpKeyRoutes());
  app.route("/v1/connections", sourceRoutes());
  app.route("/v1", dropRoutes());
  app.route("/v1", uploadRoutes());
  app.route("/v1/users/import", importRoutes());
  app.route("/v1/templates", templateRoutes());
  app.route("/v1/runs", runRoutes());
  app.route("/v1/runs", runResultRoutes());
  app.route("/v1/runs", runDecisionRoutes());
  app.route("/v1", linkRoutes());
  app.route("/v1/mails", mailRoutes());
  app.route("/v1/events", eventRoutes());
  app.route("/v1/webhook-endpoints", webhookEndpointRoutes());
  app.route("/v1/webhook-endpoints", webhookEndpointActionRoutes());
  app.route("/v1/deliveries", deliveryRoutes());
  app.route("/v1/users", userRoutes());
  app.route("/v1/departments", departmentRoutes());
  app.route("/v1/custom-fields", customFieldRoutes());
  app.route("/v1", changeRoutes());
  app.route("/v1/audit", auditRoutes());
  app.route("/v1/bridges", bridgesRoutes());
  app.route("/v1/bridge", bridgeRoutes());
  app.route("/v1/bridge", bridgeFileRoutes());
  app.route("/v1/bridge", bridgeErasureRoutes());
  app.route("/v1/bridge", bridgeLoginRoutes());
  return app;
}
