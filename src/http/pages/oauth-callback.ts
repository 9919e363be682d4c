/**
 * Where a source sends an admin back to, with or without its permission. Needs no token: the state is known to nobody but
 * whoever was sent away with it, and is good once.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import type { By } from "../../model/audit.ts";
import { authOf, parseSettings } from "../../sources/auth.ts";
import { finishAuthorization } from "../../sources/oauth.ts";
import { asFault, connectorOf } from "../../sources/source.ts";
import { encodeId } from "../../model/id.ts";
import { keepTokens, takeAuthorization } from "../../store/connections/authorizations.ts";
import { loadSecrets } from "../../store/connections/connection-secrets.ts";
import { findConnectionById } from "../../store/connections/connections.ts";
import { byLink } from "../kit/authorize.ts";
import { describe, PAGE } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { refuseAsPage } from "../api/links.ts";
import { answerPage } from "./frame.ts";

export function oauthRoutes(): Hono<Env> {
  const routes = new Hono<Env>();
  routes.onError(refuseAsPage);

  routes.get(
    "/callback",
    describe("finishAuthorization", "Finish an OAuth authorization", {
      200: PAGE,
      400: PAGE,
      409: PAGE,
    }, {
      pages: true,
      tag: "Connections",
      description: "The source redirects the admin's browser here with `state` and `code`, or with `error` " +
        "(RFC 6749, 4.1.2). Shows a page with the outcome.",
    }),
    async (c) => {
      const hub = c.get("hub");
      const parameters = new URL(c.req.url).searchParams;
      const state = parameters.get("state") ?? "";
      // A preview that only looks takes nobody's state.
      const taken = state === "" || c.req.method === "HEAD"
        ? null
        : await takeAuthorization(hub.db, hub.secrets, state, hub.now());
      const connection = taken === null
        ? null
        : await findConnectionById(hub.db, taken.authorization.organizationId, taken.authorization.connectionId);
      if (taken === null || connection === null) {
        return await answer(400, "This way has been taken, or is over", EXPIRED);
      }
      const by = { ...byLink(c, "page"), ...taken.authorization.actor } as By;
      try {
        const connector = connectorOf(hub, connection);
        const settings = parseSettings(connector, connection.settings);
        const auth = authOf(connector, settings);
        if (auth.kind !== "oauth2") return await answer(409, "The connection has changed", CHANGED);
        const secrets = await loadSecrets(hub, connection);
        const tokens = await finishAuthorization(hub, auth, settings, secrets, {
          parameters,
          state,
          verifier: taken.verifier,
        });
        if (!await keepTokens(hub.db, hub.secrets, taken.authorization, tokens, hub.now(), by)) {
          return await answer(409, "The connection has changed", CHANGED);
        }
        return await answer(200, `"${connection.name}" may read its source now`, "You can close this window.");
      } catch (error) {
        const fault = asFault(error, (text) => text);
        hub.log("connection.not_authorized", {
          organization_id: encodeId("org", connection.organizationId),
          connection_id: encodeId("con", connection.id),
          code: fault.code,
        });
        return await answer(400, `"${connection.name}" cannot read its source`, fault.message);
      }

      function answer(status: 200 | 400 | 409, title: string, text: string): Promise<Response> {
        const main = html`
          <h1>${title}</h1>
          <p>${text}</p>
        `;
        return answerPage(c, { title, organization: null, main }, status);
      }
    },
  );

  return routes;
}

const EXPIRED = "Begin again: ask the hub to authorize the connection, and come back within 15 minutes.";
const CHANGED =
  "It was changed since you were sent to its source. Begin again: ask the hub to authorize the connection.";
