/**
 * Where a source redirects an admin to, after access was granted or refused. Needs no token: the state is known only to
 * the browser that was sent to the source with it, and is valid once.
 */
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import type { By } from "../../model/audit.ts";
import { parseSettings, prepareSettings } from "../../runs/settings.ts";
import { authOf } from "../../sources/auth.ts";
import { finishAuthorization } from "../../sources/oauth.ts";
import { connectorOf } from "../../hub.ts";
import { asFault } from "../../sources/source.ts";
import { encodeId } from "../../model/id.ts";
import { keepTokens, takeAuthorization } from "../../store/connections/authorizations.ts";
import { loadSecrets } from "../../store/connections/connection-secrets.ts";
import { type Connection, findConnectionById } from "../../store/connections/connections.ts";
import { byLink } from "../kit/authorize.ts";
import { describe, PAGE, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { refuseAsPage } from "../api/links.ts";
import { answerPage } from "./frame.ts";

const EXPIRED = "Begin again: ask the hub to authorize the connection, and come back within 15 minutes.";
const CHANGED =
  "It was changed since you were sent to its source. Begin again: ask the hub to authorize the connection.";

const finish = route(
  describe("finishAuthorization", "Finish an OAuth authorization", { 200: PAGE, 400: PAGE, 409: PAGE }, {
    pages: true,
    tag: "Connections",
    description: "The source redirects the admin's browser here with `state` and `code`, or with `error` " +
      "(RFC 6749, 4.1.2). Shows a page with the outcome.",
  }),
  async (c) => {
    const hub = c.get("hub");
    const state = c.req.query("state") ?? "";
    // A preview of the link sends HEAD, and must not use up the state.
    const taken = state === "" || c.req.method === "HEAD"
      ? null
      : await takeAuthorization(hub.db, hub.secrets, state, hub.now());
    const connection = taken === null
      ? null
      : await findConnectionById(hub.db, taken.authorization.organizationId, taken.authorization.connectionId);
    if (taken === null || connection === null) {
      return await answer(c, 400, "This authorization is completed already, or has expired", EXPIRED);
    }
    try {
      return await authorize(c, connection, taken, state)
        ? await answer(c, 200, `"${connection.name}" may read its source now`, "You can close this window.")
        : await answer(c, 409, "The connection has changed", CHANGED);
    } catch (error) {
      const fault = asFault(error, null);
      hub.log("connection.not_authorized", {
        organization_id: encodeId("org", connection.organizationId),
        connection_id: encodeId("con", connection.id),
        code: fault.code,
      });
      return await answer(c, 400, `"${connection.name}" cannot read its source`, fault.message);
    }
  },
);

export const oauthRoutes: Hono<Env> = new Hono<Env>().onError(refuseAsPage).get("/callback", ...finish);

type Taken = NonNullable<Awaited<ReturnType<typeof takeAuthorization>>>;

/** Gets the tokens and stores them. False: the connection has changed since the authorization began. */
async function authorize(c: Context<Env>, connection: Connection, taken: Taken, state: string): Promise<boolean> {
  const hub = c.get("hub");
  const connector = connectorOf(hub, connection);
  await prepareSettings(connector, connection.settings);
  const settings = parseSettings(connector, connection.settings);
  const auth = authOf(connector, settings);
  if (auth.kind !== "oauth2") return false;
  const secrets = await loadSecrets(hub, connection);
  const parameters = new URL(c.req.url).searchParams;
  const { authorization, verifier } = taken;
  const tokens = await finishAuthorization(hub, auth, settings, secrets, { parameters, state, verifier });
  const by = { ...byLink(c, "page"), ...authorization.actor } as By;
  return await keepTokens(hub.db, hub.secrets, authorization, tokens, hub.now(), by);
}

function answer(c: Context<Env>, status: 200 | 400 | 409, title: string, text: string): Promise<Response> {
  const main = html`
    <h1>${title}</h1>
    <p>${text}</p>
  `;
  return answerPage(c, { title, organization: null, main }, status);
}
