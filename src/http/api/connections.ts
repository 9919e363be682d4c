/** Connections of an organization: create, read, change, pause, resume, delete. */
import { Hono } from "hono";
import { Fault } from "../../model/errors.ts";
import { deleteConnection, isAtWork } from "../../store/connections/connection-end.ts";
import { sealSecrets } from "../../store/connections/connection-secrets.ts";
import {
  createConnection,
  findConnection,
  listConnections,
  pauseConnection,
  resumeConnection,
  updateConnection,
} from "../../store/connections/connections.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { loader } from "../kit/load.ts";
import { answerList, PAGED } from "../kit/paging.ts";
import { listOf } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { NO_FIELDS } from "../kit/values.ts";
import { deleteVersion, writeVersion } from "../kit/version.ts";
import { CHANGES, NEW, prepareChange, prepareNew } from "./connection-change.ts";
import { answerConnection, CONNECTION, loadView } from "./connection-view.ts";

/** By id or slug. */
export const loadConnection = loader("connection", findConnection);

const create = route(
  describe("createConnection", "Create a connection", { 201: versioned(CONNECTION) }, {
    description:
      "Sets up a source of people, with the custom fields of its preset. A remote source, secrets or looser " +
      "limits need `runs:approve`; `technical_contact` needs `users:read` too.",
    faults: ["conflict", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(NEW),
  async (c) => {
    const asked = c.req.valid("json");
    const { db, now, secrets } = c.get("hub");
    const organizationId = c.get("organization").id;
    const { input, fields } = await prepareNew(c, organizationId, asked);
    const connection = await createConnection(db, organizationId, input, now(), byOf(c), {
      fields,
      seal: (id) => sealSecrets(secrets, id, asked.secrets ?? {}),
    });
    return await answerConnection(c, connection, 201);
  },
);

const list = route(
  describe("listConnections", "List connections", { 200: listOf(CONNECTION) }, {
    description: "All connections with their state, the oldest first. Secrets are shown as set or not.",
  }),
  requires("connections:read"),
  PAGED,
  (c) =>
    answerList(
      c,
      "connections",
      async (db, organizationId, place) => {
        const rows = await listConnections(db, organizationId, place);
        const { view } = await loadView(c, rows);
        return rows.map((row) => ({ id: row.id, view: view(row) }));
      },
      (row) => row.id,
      (row) => row.view,
    ),
);

const get = route(
  describe("getConnection", "Get a connection", { 200: versioned(CONNECTION) }, {
    description: "Its settings, health and next fetch; `in_force` has what runs go by, and why.",
  }),
  requires("connections:read"),
  async (c) => await answerConnection(c, await loadConnection(c)),
);

const update = route(
  describe("updateConnection", "Update a connection", { 200: versioned(CONNECTION) }, {
    description:
      "Changes the given fields; null in `policy` or `limits` restores a default. A changed source clears its " +
      "secrets. Another preset brings its key, if people are linked by no other. Looser limits need `runs:approve`.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("connections:write"),
  jsonBody(CHANGES),
  async (c) => {
    const changed = await writeVersion(c, loadConnection, async (db, current, now, by) => {
      const { changes, ...others } = await prepareChange(c, current, c.req.valid("json"));
      return await updateConnection(db, current, changes, now, by, others);
    });
    return await answerConnection(c, changed);
  },
);

const remove = route(
  describe("deleteConnection", "Delete a connection", { 204: NOTHING }, {
    description: "Its links to users are deleted, the users stay. Refused while a run is active: cancel it first.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("connections:write"),
  (c) =>
    deleteVersion(c, loadConnection, async (db, current, now, by) => {
      if (await deleteConnection(db, current, now, by)) return true;
      if (!await isAtWork(db, current)) return false;
      throw new Fault("conflict", `A run of "${current.slug}" is active; cancel it or wait until it ends`);
    }),
);

const pause = route(
  describe("pauseConnection", "Pause a connection", { 200: versioned(CONNECTION) }, {
    description: "Inputs are queued, but no run starts until it is resumed.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => await answerConnection(c, await writeVersion(c, loadConnection, pauseConnection)),
);

const resume = route(
  describe("resumeConnection", "Resume a connection", { 200: versioned(CONNECTION) }, {
    description: "Queued runs start in order.",
    headers: [IF_MATCH],
  }),
  requires("connections:write"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const resumed = await writeVersion(c, loadConnection, resumeConnection);
    c.get("hub").wake();
    return await answerConnection(c, resumed);
  },
);

export const connectionRoutes: Hono<Env> = new Hono<Env>()
  .post("/", ...create)
  .get("/", ...list)
  .get("/:id", ...get)
  .patch("/:id", ...update)
  .delete("/:id", ...remove)
  .post("/:id/pause", ...pause)
  .post("/:id/resume", ...resume);
