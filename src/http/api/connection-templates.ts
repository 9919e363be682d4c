/** Templates of connections, for the operator: create, read, change, delete, and which connections follow one. */
import { Hono } from "hono";
import { z } from "zod";
import type { Connector } from "../../connector.ts";
import { Fault } from "../../model/errors.ts";
import type { Limits } from "../../model/guards.ts";
import { encodeId } from "../../model/id.ts";
import type { Policy } from "../../model/policy.ts";
import { checkSettings, prepareSettings } from "../../runs/settings.ts";
import {
  type ConnectionTemplate,
  createTemplate,
  deleteTemplate,
  findTemplate,
  listTemplates,
  type TemplateInput,
  updateTemplate,
} from "../../store/connections/connection-templates.ts";
import { type ListedUse, listUses } from "../../store/connections/template-uses.ts";
import { toInstant } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { byId, loader } from "../kit/load.ts";
import { merge } from "../kit/merge.ts";
import { answerList, PAGED } from "../kit/paging.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { invalid, jsonBody } from "../kit/validate.ts";
import { changeVersion, deleteVersion, getVersion, withVersion } from "../kit/version.ts";
import { CHANGES, NEW } from "./connection-change.ts";
import { checkSchedule, findConnector, slugOf } from "./connection-input.ts";
import { CONNECTION } from "./connection-view.ts";

const SET = {
  preset: true,
  settings: true,
  key: true,
  mapping: true,
  policy: true,
  limits: true,
  schedule: true,
} as const;
const NEW_TEMPLATE = NEW.pick({ ...SET, name: true, slug: true, connector: true })
  .meta({ id: "TemplateInput", examples: [{ connector: "csv-upload", name: "Nightly file", slug: "nightly" }] });
const TEMPLATE_CHANGES = CHANGES.pick({ ...SET, name: true, slug: true })
  .meta({ id: "TemplateChanges", examples: [{ policy: { missing: "deactivate" } }] });

const TEMPLATE = CONNECTION.pick({ ...SET, slug: true, name: true, connector: true, version: true }).extend({
  id: idOf("tpl"),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "ConnectionTemplate" });

export type ConnectionTemplateView = z.infer<typeof TEMPLATE>;

const USE = z.strictObject({
  organization: z.strictObject({ id: idOf("org"), slug: z.string() }),
  connection: z.strictObject({ id: idOf("con"), slug: z.string() }),
  version: z.int().meta({ description: "Of the template, that was applied last" }),
  applied_at: INSTANT,
}).meta({ id: "TemplateUse" });

export type TemplateUseView = z.infer<typeof USE>;

function viewTemplate(template: ConnectionTemplate): ConnectionTemplateView {
  const { id, createdAt, updatedAt, ...rest } = template;
  return { id: encodeId("tpl", id), ...rest, created_at: toInstant(createdAt), updated_at: toInstant(updatedAt) };
}

function viewUse({ use, connection, organization }: ListedUse): TemplateUseView {
  return {
    organization: { id: encodeId("org", organization.id), slug: organization.slug },
    connection: { id: encodeId("con", connection.id), slug: connection.slug },
    version: use.version,
    applied_at: toInstant(use.appliedAt),
  };
}

export const loadTemplate = loader("template", byId("tpl", (db, _, id) => findTemplate(db, id)));

const create = route(
  describe("createConnectionTemplate", "Create a connection template", { 201: versioned(TEMPLATE) }, {
    description: "What connections of many organizations have in common, without secrets. No connection changes " +
      "until it is applied. Required settings may be left out, and given for each organization.",
    faults: ["conflict", "unprocessable"],
  }),
  requires("operator"),
  jsonBody(NEW_TEMPLATE),
  async (c) => {
    const { name, slug = slugOf(name), connector: named, ...set } = c.req.valid("json");
    const { db, now } = c.get("hub");
    const connector = findConnector(c.get("hub"), named);
    const input = {
      connector: named,
      name,
      slug,
      preset: null,
      settings: {},
      key: null,
      mapping: {},
      policy: {},
      limits: {},
      schedule: null,
      ...set,
    };
    await prepareSettings(connector, input.settings);
    checkSet(connector, input);
    const template = await createTemplate(db, input, now(), byOf(c));
    return withVersion(c, template, viewTemplate(template), 201);
  },
);

const list = route(
  describe("listConnectionTemplates", "List connection templates", { 200: listOf(TEMPLATE) }, {
    description: "All templates of the hub, the oldest first.",
  }),
  requires("operator"),
  PAGED,
  (c) => answerList(c, "templates", (db, _, place) => listTemplates(db, place), (row) => row.id, viewTemplate),
);

const get = route(
  describe("getConnectionTemplate", "Get a connection template", { 200: versioned(TEMPLATE) }, {
    description: "What it sets, with the version for `If-Match`.",
  }),
  requires("operator"),
  (c) => getVersion(c, loadTemplate, viewTemplate),
);

const update = route(
  describe("updateConnectionTemplate", "Update a connection template", { 200: versioned(TEMPLATE) }, {
    description: "Changes the given fields, as for connections. No connection changes until it is applied again.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("operator"),
  jsonBody(TEMPLATE_CHANGES),
  (c) =>
    changeVersion(c, loadTemplate, async (db, current, now, by) => {
      const { policy, limits, ...plain } = c.req.valid("json");
      const changes: Partial<TemplateInput> = { ...plain };
      if (policy) changes.policy = merge<Policy>(current.policy, policy);
      if (limits) changes.limits = merge<Limits>(current.limits, limits);
      const next = { ...current, ...changes };
      if (changes.settings !== undefined || changes.schedule != null) {
        const connector = findConnector(c.get("hub"), current.connector);
        await prepareSettings(connector, next.settings);
        checkSet(connector, next);
      }
      requireOfAll(next.policy);
      return await updateTemplate(db, current, changes, now, by);
    }, viewTemplate),
);

const remove = route(
  describe("deleteConnectionTemplate", "Delete a connection template", { 204: NOTHING }, {
    description: "Its connections stay as they are, and follow no template.",
    headers: [IF_MATCH],
  }),
  requires("operator"),
  (c) => deleteVersion(c, loadTemplate, deleteTemplate),
);

const uses = route(
  describe("listTemplateConnections", "List a template's connections", { 200: listOf(USE) }, {
    description: "The connections of all organizations that follow it, and the version that each has.",
    faults: ["not_found"],
  }),
  requires("operator"),
  PAGED,
  async (c) => {
    const { id } = await loadTemplate(c);
    const load = listUses.bind(null, c.get("hub").db, id);
    return await answerList(c, "template-uses", (_, __, place) => load(place), ({ use }) => use.connectionId, viewUse);
  },
);

export const connectionTemplateRoutes: Hono<Env> = new Hono<Env>()
  .post("/", ...create)
  .get("/", ...list)
  .get("/:id", ...get)
  .patch("/:id", ...update)
  .delete("/:id", ...remove)
  .get("/:id/connections", ...uses);

type Sets = Pick<TemplateInput, "settings" | "schedule" | "policy">;

/** Checks what can be checked without an organization. Settings that are missing may be each organization's own. */
function checkSet(connector: Connector<never>, { settings, schedule, policy }: Sets): void {
  checkSchedule(connector, schedule);
  requireOfAll(policy);
  const checked = checkSettings(connector, settings);
  const issues = ("issues" in checked ? checked.issues : []) as readonly z.core.$ZodIssue[];
  const wrong = issues.filter(({ path: [name], code }) =>
    name === undefined ? code === "unrecognized_keys" : Object.hasOwn(settings, name)
  );
  if (wrong.length === 0) return;
  throw invalid(
    `The settings are invalid for the connector "${connector.name}"`,
    wrong.map((issue) => ({ ...issue, path: ["settings", ...issue.path] })),
  );
}

/** People are of one organization. */
function requireOfAll({ protected: people }: Policy): void {
  if (people === undefined) return;
  throw new Fault("unprocessable", "A template cannot protect people, who are of one organization", {
    errors: [{ pointer: "/policy/protected", detail: "should be set in the organization's own connection" }],
  });
}
