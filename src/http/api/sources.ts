/** Operations on a connection whose source the hub reads: test it, fetch it now, authorize the hub at the source. */
import { Hono } from "hono";
import { z } from "zod";
import { parseSettings, prepareSettings } from "../../runs/settings.ts";
import { authOf } from "../../sources/auth.ts";
import { checkSource } from "../../sources/check.ts";
import { beginAuthorization, redirectUri } from "../../sources/oauth.ts";
import { findOwnConnector } from "./connection-input.ts";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { broughtBy } from "../../runs/receive-drop.ts";
import { logRun } from "../../runs/log.ts";
import { AUTHORIZATION_MS, createAuthorization } from "../../store/connections/authorizations.ts";
import { loadSecrets } from "../../store/connections/connection-secrets.ts";
import { recordCheck } from "../../store/connections/connections.ts";
import { findUnderWay, queueFetch } from "../../store/connections/fetches.ts";
import { toInstant } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { checkByBridge } from "../bridge/check.ts";
import { loadConnection } from "./connections.ts";
import { describe, json, PREFER, route, started } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { counted } from "../kit/in-flight.ts";
import { requireDecider } from "./loosening.ts";
import { INSTANT, RUN_STARTED } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { MODE, NO_FIELDS } from "../kit/values.ts";
import { waitForNew } from "../kit/prefer.ts";

const ASKED = z.strictObject({ mode: MODE.default("auto") }).meta({ examples: [{ mode: "plan" }] });

const CHECKED = z.strictObject({
  ok: z.boolean(),
  detail: z.string().meta({ examples: ["480 people can be read"] }),
  found: z.record(z.string(), z.unknown()).meta({ examples: [{ people: 480 }] }),
  code: z.string().nullable().meta({ description: "Why it cannot be read", examples: [null] }),
}).meta({ id: "ConnectionCheck" });

const AUTHORIZING = z.strictObject({
  authorization_url: z.string().meta({
    description: "Page of the source that an admin has to open within 15 minutes",
    examples: ["https://acme.example.com/authorize?response_type=code"],
  }),
  redirect_uri: z.string().meta({
    description: "Redirect address, to be registered at the source",
    examples: ["https://hub.example.com/oauth/callback"],
  }),
  expires_at: INSTANT,
}).meta({ id: "ConnectionAuthorization" });

const check = route(
  describe("checkConnection", "Test a connection", { 200: json(CHECKED) }, {
    description: "Tries to read the source, and reports what it found. Nothing is imported. Up to 45 s where a " +
      "bridge has to answer.",
    faults: ["unprocessable", "unavailable", "too_many_in_flight"],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const hub = c.get("hub");
    const connection = await loadConnection(c);
    const checked = await counted(c, "waits", async (): Promise<z.infer<typeof CHECKED>> => {
      if (findOwnConnector(hub, connection).bridged === true) return await checkByBridge(c, connection);
      const found = await checkSource(hub, connection, {
        signal: c.req.raw.signal,
        about: { request_id: c.get("requestId") },
      });
      await recordCheck(hub.db, connection, hub.now(), byOf(c));
      return found;
    });
    return c.json(checked);
  },
);

const startFetch = route(
  describe("fetchConnection", "Fetch a source now", {
    200: started(RUN_STARTED, "The run has ended, or waits for a decision"),
    202: started(RUN_STARTED, "The run has been queued"),
  }, {
    description: "Starts a run outside of the schedule. Refused while one is under way.",
    headers: [PREFER],
    faults: ["conflict", "unprocessable", "unavailable", "queue_full"],
  }),
  requires("runs:write"),
  jsonBody(ASKED),
  async (c) => {
    const hub = c.get("hub");
    const connection = await loadConnection(c);
    if (findOwnConnector(hub, connection).input === "drop") {
      throw new Fault("unprocessable", `The connection "${connection.slug}" receives its input; upload a drop instead`);
    }
    const { id: connectionId, organizationId } = connection;
    const { mode } = c.req.valid("json");
    const run = {
      organizationId,
      connectionId,
      trigger: "manual",
      mode,
      brings: broughtBy(hub, connection),
      requestId: c.get("requestId"),
    } as const;
    const ids = await queueFetch(hub.db, run, hub.now(), { by: byOf(c) });
    if (ids === null) {
      const other = await findUnderWay(hub.db, connectionId);
      const which = other === null ? "" : `, "${encodeId("run", other)}"`;
      throw new Fault("conflict", `A run of "${connection.slug}" is already in progress${which}; wait until it ends`);
    }
    for (const id of ids) logRun(hub, { id, organizationId, connectionId }, "run.queued", { trigger: "manual", mode });
    hub.wake();
    // The last one, of the people: those of departments are before it.
    const answer = await waitForNew(c, ids.at(-1)!);
    return c.json({ run: answer.run } satisfies z.infer<typeof RUN_STARTED>, answer.status);
  },
);

const authorize = route(
  describe("authorizeConnection", "Start an OAuth authorization", { 200: json(AUTHORIZING) }, {
    description: "Gives the address at which an admin of the source grants access within 15 minutes.",
    faults: ["unprocessable", "unavailable", "secrets_required", "source_misconfigured"],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    requireDecider(c, "authorizing a connection");
    const hub = c.get("hub");
    const connection = await loadConnection(c);
    const connector = findOwnConnector(hub, connection);
    await prepareSettings(connector, connection.settings);
    const settings = parseSettings(connector, connection.settings);
    const auth = authOf(connector, settings);
    if (auth.kind !== "oauth2") {
      throw new Fault("unprocessable", `The connection "${connection.slug}" is authorized by secrets, not by OAuth`);
    }
    const secrets = await loadSecrets(hub, connection);
    const { url, ...begun } = await beginAuthorization(hub, auth, settings, secrets);
    await createAuthorization(hub.db, hub.secrets, connection, begun, hub.now(), byOf(c));
    return c.json(
      {
        authorization_url: url,
        redirect_uri: redirectUri(hub),
        expires_at: toInstant(hub.now() + AUTHORIZATION_MS),
      } satisfies z.infer<typeof AUTHORIZING>,
    );
  },
);

export const sourceRoutes: Hono<Env> = new Hono<Env>()
  .post("/:id/check", ...check)
  .post("/:id/runs", ...startFetch)
  .post("/:id/authorize", ...authorize);
