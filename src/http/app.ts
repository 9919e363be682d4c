/** The hub as an HTTP application on Web standards: all routes, and the boundary around them. */
import { type Context, Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { auditRoutes } from "./api/audit.ts";
import { auditFileRoutes } from "./api/audit-file.ts";
import { authenticate } from "./kit/authorize.ts";
import { bridgeRoutes } from "./bridge/routes.ts";
import { bridgeErasureRoutes } from "./bridge/erasures.ts";
import { bridgeUploadRoutes } from "./bridge/uploads.ts";
import { bridgeFileRoutes } from "./bridge/files.ts";
import { bridgesRoutes } from "./api/bridges.ts";
import { changeRoutes } from "./api/changes.ts";
import { connectionRoutes } from "./api/connections.ts";
import { connectionTemplateRoutes } from "./api/connection-templates.ts";
import { connectorRoutes } from "./api/connectors.ts";
import { refuseInConsole } from "./console/frame.ts";
import { consoleRoutes } from "./console/routes.ts";
import { customFieldRoutes } from "./api/custom-fields.ts";
import { deliveryRoutes } from "./api/deliveries.ts";
import { departmentRoutes } from "./api/departments.ts";
import { dropColumnRoutes } from "./api/drop-columns.ts";
import { dropRoutes } from "./api/drops.ts";
import { bridgeLoginRoutes } from "./bridge/logins.ts";
import { sftpLoginRoutes } from "./api/sftp-logins.ts";
import { boundary } from "./kit/boundary.ts";
import { docsRoutes } from "./pages/docs.ts";
import type { Env } from "./kit/env.ts";
import { errorPages } from "./pages/error-pages.ts";
import { eventRoutes } from "./api/events.ts";
import { explainRoutes } from "./api/explain.ts";
import { groupRoutes } from "./api/groups.ts";
import { healthRoutes } from "./api/health.ts";
import { hintRoutes } from "./api/hints.ts";
import { idempotent } from "./kit/idempotency.ts";
import { importRoutes } from "./api/import.ts";
import { linkRoutes } from "./api/links.ts";
import { memberRoutes } from "./api/members.ts";
import { mailRoutes } from "./api/mails.ts";
import { limitLogins, limitRequests } from "./kit/limits.ts";
import { metricsRoutes } from "./api/metrics.ts";
import { refuseQuery } from "./kit/no-query.ts";
import { oauthRoutes } from "./pages/oauth-callback.ts";
import { organizationRoutes } from "./api/organizations.ts";
import { pgpKeyRoutes } from "./api/pgp-keys.ts";
import { problem } from "./kit/problem.ts";
import { liveRoutes } from "./pages/live.ts";
import { reportRoutes } from "./pages/reports.ts";
import { templatePages } from "./pages/templates.ts";
import { retentionRoutes } from "./api/retention.ts";
import { runDecisionRoutes } from "./api/run-decisions.ts";
import { runLinkRoutes } from "./api/run-links.ts";
import { runPageRoutes } from "./pages/run-page.ts";
import { runResultRoutes } from "./api/run-results.ts";
import { runDayRoutes } from "./api/run-days.ts";
import { runRoutes } from "./api/runs.ts";
import { withScimBody } from "./scim/answer.ts";
import { scimRoutes } from "./scim/routes.ts";
import { sessionRoutes } from "./api/sessions.ts";
import { signInRoutes } from "./console/sign-in.ts";
import { sourceRoutes } from "./api/sources.ts";
import { templateRoutes } from "./api/templates.ts";
import { templateApplyRoutes } from "./api/template-apply.ts";
import { tokenRoutes } from "./api/tokens.ts";
import { upgradeRoutes } from "./api/upgrades.ts";
import { uploadRoutes } from "./api/uploads.ts";
import { userFieldRoutes } from "./api/user-fields.ts";
import { userFileRoutes } from "./api/user-files.ts";
import { userIdentityRoutes } from "./api/user-identity.ts";
import { userMergeRoutes } from "./api/user-merge.ts";
import { userRecordRoutes } from "./api/user-record.ts";
import { userRoutes } from "./api/users.ts";
import { webhookEndpointActionRoutes } from "./api/webhook-endpoint-actions.ts";
import { webhookEndpointRoutes } from "./api/webhook-endpoints.ts";

/** The resources below `/v1`, in the order in which the document lists them. */
const API: readonly (readonly [path: string, routes: Hono<Env>])[] = [
  ["/connectors", connectorRoutes],
  ["", organizationRoutes],
  ["", retentionRoutes],
  ["/tokens", tokenRoutes],
  ["/members", memberRoutes],
  ["/sessions", sessionRoutes],
  ["/connections", connectionRoutes],
  ["/connections", sftpLoginRoutes],
  ["/connections", pgpKeyRoutes],
  ["/connections", sourceRoutes],
  ["/connections", upgradeRoutes],
  ["/connection-templates", connectionTemplateRoutes],
  ["/connection-templates", templateApplyRoutes],
  ["", dropRoutes],
  ["/drops", dropColumnRoutes],
  ["", uploadRoutes],
  ["/users/import", importRoutes],
  ["/templates", templateRoutes],
  ["/run-days", runDayRoutes],
  ["/runs", runRoutes],
  ["/runs", runResultRoutes],
  ["/runs", runDecisionRoutes],
  ["/runs", runLinkRoutes],
  ["", linkRoutes],
  ["/mails", mailRoutes],
  ["/events", eventRoutes],
  ["/webhook-endpoints", webhookEndpointRoutes],
  ["/webhook-endpoints", webhookEndpointActionRoutes],
  ["/deliveries", deliveryRoutes],
  ["/users", userRoutes],
  ["/users", userFieldRoutes],
  ["/users", userRecordRoutes],
  ["/users", userMergeRoutes],
  ["/users", userIdentityRoutes],
  ["", userFileRoutes],
  ["/explain", explainRoutes],
  ["/departments", departmentRoutes],
  ["/groups", groupRoutes],
  ["/custom-fields", customFieldRoutes],
  ["", changeRoutes],
  ["/audit", auditRoutes],
  ["", auditFileRoutes],
  ["/bridges", bridgesRoutes],
  ["/bridge", bridgeRoutes],
  ["/bridge", bridgeUploadRoutes],
  ["/bridge", bridgeFileRoutes],
  ["/bridge", bridgeErasureRoutes],
  ["/bridge", bridgeLoginRoutes],
];

/** The application of this hub. It has no state of its own, so a hub may have any number of them. */
export function createApp(hub: Hub): Hono<Env> {
  const app = new Hono<Env>();
  app.use(boundary(hub));
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed(c, methods) {
      const allow = methods.join(", ");
      const fault = new Fault("method_not_allowed", `The method is ${c.req.method}; it should be ${allow}`);
      const answer = problem(c, fault);
      answer.headers.set("allow", allow);
      return isScim(c) ? withScimBody(c, answer) : answer;
    },
  }));
  app.onError((error, c) => problem(c, error));
  app.notFound((c) => {
    const fault = new Fault("not_found", `There is nothing at "${c.req.path}"`);
    if (isScim(c)) return withScimBody(c, problem(c, fault));
    return isForPerson(c) ? refuseInConsole(fault, c) : problem(c, fault);
  });

  app.route("/", healthRoutes);
  app.route("/errors", errorPages);
  app.route("/r", runPageRoutes);
  app.route("/reports", reportRoutes);
  app.route("/templates", templatePages);
  app.route("/oauth", oauthRoutes);
  app.route("/", docsRoutes(app));
  // A hint with a wrong signature counts as a failed log-in.
  app.use("/hints/*", limitLogins);
  app.route("/hints", hintRoutes);

  app.route("/", liveRoutes);
  app.route("/", signInRoutes);
  app.route("/", consoleRoutes(app));

  app.route("/scim/v2", scimRoutes());

  app.use("/v1/*", limitLogins, authenticate, limitRequests, refuseQuery, idempotent);
  app.use("/metrics", limitLogins, authenticate, limitRequests);
  app.route("/metrics", metricsRoutes);
  for (const [path, routes] of API) app.route(`/v1${path}`, routes);
  return app;
}

/** Whether an identity provider asks. */
function isScim(c: Context<Env>): boolean {
  return c.req.path.startsWith("/scim/");
}

/** Whether a browser shows the answer to a person. Programs that ask the API get its problems, whatever they accept. */
function isForPerson(c: Context<Env>): boolean {
  return c.req.method === "GET" && !c.req.path.startsWith("/v1") && /\btext\/html\b/.test(c.req.header("accept") ?? "");
}
