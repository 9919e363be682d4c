/** The hub as an HTTP application on Web standards: every route, and the boundary around them. */
import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { matchedRoutes } from "hono/route";
import { Fault } from "../errors.ts";
import type { Hub } from "../hub.ts";
import { auditRoutes } from "./audit.ts";
import { authenticate } from "./authorize.ts";
import { changeRoutes } from "./changes.ts";
import { connectionRoutes } from "./connections.ts";
import { connectorRoutes } from "./connectors.ts";
import { customFieldRoutes } from "./custom-fields.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { departmentRoutes } from "./departments.ts";
import { dropRoutes } from "./drops.ts";
import type { Env } from "./env.ts";
import { errorPages } from "./error-pages.ts";
import { eventRoutes } from "./events.ts";
import { healthRoutes } from "./health.ts";
import { importRoutes } from "./import.ts";
import { linkRoutes } from "./links.ts";
import { mailRoutes } from "./mails.ts";
import { organizationRoutes } from "./organizations.ts";
import { problem } from "./problem.ts";
import { reportRoutes } from "./reports.ts";
import { runDecisionRoutes } from "./run-decisions.ts";
import { runPageRoutes } from "./run-page.ts";
import { runResultRoutes } from "./run-results.ts";
import { runRoutes } from "./runs.ts";
import { templateRoutes } from "./templates.ts";
import { tokenRoutes } from "./tokens.ts";
import { uploadRoutes } from "./uploads.ts";
import { userRoutes } from "./users.ts";
import { webhookEndpointRoutes } from "./webhook-endpoints.ts";

const HEALTH: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** An application that answers for this hub. Keeps no state of its own, so any number may be made. */
export function createApp(hub: Hub): Hono<Env> {
  const app = new Hono<Env>();

  app.use(async (c, next) => {
    const given = c.req.header("x-request-id") ?? "";
    const requestId = /^[\w.:-]{1,128}$/.test(given) ? given : crypto.randomUUID();
    c.set("hub", hub);
    c.set("requestId", requestId);
    const startedAt = hub.now();
    await next();
    c.res.headers.set("x-request-id", requestId);
    c.res.headers.set("x-content-type-options", "nosniff");
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
    const route = matchedRoutes(c).findLast(({ path }) => !path.endsWith("*"))?.path ?? "none";
    // Whoever looks after the process asks every few seconds; only what is not well is worth a line.
    if (HEALTH.has(route) && c.res.ok) return;
    hub.log("request", {
      request_id: requestId,
      method: c.req.method,
      route,
      status: c.res.status,
      ms: hub.now() - startedAt,
    });
  });
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

  app.use("/v1/*", authenticate);
  app.route("/v1/connectors", connectorRoutes());
  app.route("/v1", organizationRoutes());
  app.route("/v1/tokens", tokenRoutes());
  app.route("/v1/connections", connectionRoutes());
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
  app.route("/v1/deliveries", deliveryRoutes());
  app.route("/v1/users", userRoutes());
  app.route("/v1/departments", departmentRoutes());
  app.route("/v1/custom-fields", customFieldRoutes());
  app.route("/v1", changeRoutes());
  app.route("/v1/audit", auditRoutes());
  return app;
}
