/** Organizations: all of them for the operator, and the token's own. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { USER_FIELDS } from "../../model/record.ts";
import { PHONE_COUNTRY } from "../../model/value-settings.ts";
import {
  createOrganization,
  findOrganization,
  findOrganizationNamed,
  type Organization,
  type OrganizationInput,
  updateOrganization,
} from "../../store/organizations.ts";
import { deleteOrganization, isOrganizationAtWork } from "../../store/organization-end.ts";
import { listWithFigures, type OrganizationFigures } from "../../store/organization-figures.ts";
import { toInstant } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { EMAIL, NAME, SLUG, TIMEZONE } from "../kit/values.ts";
import { changeVersion, deleteVersion, getVersion, withVersion } from "../kit/version.ts";
import { loader } from "../kit/load.ts";
import { answerList, PAGED } from "../kit/paging.ts";
import { changedRetention, RETENTION_CHANGES, RETENTION_SHOWN, viewRetention } from "./retention.ts";

/** Fields that an organization can require of new users: those that describe a person. */
export const REQUIRABLE = USER_FIELDS.filter((field) =>
  !["source_id", "manager_key", "is_active", "deactivation_date"].includes(field)
);

const CHANGES = z.strictObject({
  name: NAME.optional(),
  timezone: TIMEZONE.optional(),
  technical_contact: EMAIL.nullable().optional(),
  reply_to: EMAIL.nullable().optional(),
  phone_country: PHONE_COUNTRY.nullable().optional(),
  required_fields: z.array(z.enum(REQUIRABLE)).optional(),
  retention: RETENTION_CHANGES.optional(),
}).meta({ id: "OrganizationChanges" });
const NEW = CHANGES.omit({ retention: true }).extend({ slug: SLUG, name: NAME, timezone: TIMEZONE.default("UTC") });

const ORGANIZATION = z.strictObject({
  id: idOf("org"),
  slug: SLUG.meta({ examples: ["acme"] }),
  name: z.string().meta({ examples: ["Acme"] }),
  timezone: z.string().meta({ examples: ["Europe/Berlin"] }),
  technical_contact: z.string().nullable().meta({ examples: ["hr@acme.test"] }),
  reply_to: z.string().nullable().meta({ examples: [null] }),
  phone_country: z.string().nullable().meta({ examples: ["DE"] }),
  required_fields: z.array(z.string()).readonly().meta({ examples: [["email", "first_name", "last_name"]] }),
  retention: RETENTION_SHOWN,
  version: z.int(),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "Organization" });

const COUNT = z.int().min(0).meta({ examples: [0] });

/** As the operator's list has it, with what needs somebody. */
const LISTED = ORGANIZATION.extend({
  figures: z.strictObject({
    connections: COUNT.meta({ examples: [2] }),
    failing_connections: COUNT.meta({ description: "In the state `error`" }),
    overdue_connections: COUNT.meta({ description: "Their input has not come by the time it was expected" }),
    held_runs: COUNT,
    lying_files: COUNT.meta({ description: "On SFTP servers, and not taken" }),
  }),
}).meta({ id: "ListedOrganization" });

export type ListedOrganization = z.infer<typeof LISTED>;
export type OrganizationView = z.infer<typeof ORGANIZATION>;

function viewOrganization(organization: Organization): OrganizationView {
  return {
    id: encodeId("org", organization.id),
    slug: organization.slug,
    name: organization.name,
    timezone: organization.timezone,
    technical_contact: organization.technicalContact,
    reply_to: organization.replyTo,
    phone_country: organization.phoneCountry,
    required_fields: organization.requiredFields,
    retention: viewRetention(organization),
    version: organization.version,
    created_at: toInstant(organization.createdAt),
    updated_at: toInstant(organization.updatedAt),
  };
}

function viewListed(
  { organization, figures }: { readonly organization: Organization; readonly figures: OrganizationFigures },
): ListedOrganization {
  return {
    ...viewOrganization(organization),
    figures: {
      connections: figures.connections,
      failing_connections: figures.failing,
      overdue_connections: figures.overdue,
      held_runs: figures.heldRuns,
      lying_files: figures.lyingFiles,
    },
  };
}

/** By id or slug. */
const load = loader("organization", (db, _, name) => findOrganizationNamed(db, name));

const create = route(
  describe("createOrganization", "Create an organization", { 201: versioned(ORGANIZATION) }, {
    description: "A new customer, with two connections from the start: `csv` for uploads and `api` for " +
      "pushed records. The slug has to be free.",
    faults: ["conflict"],
  }),
  requires("operator"),
  jsonBody(NEW),
  async (c) => {
    const { slug, ...input } = c.req.valid("json");
    const { db, now } = c.get("hub");
    const { name, timezone } = input;
    const organization = await createOrganization(db, { slug, ...toInput(input), name, timezone }, now(), byOf(c));
    return withVersion(c, organization, viewOrganization(organization), 201);
  },
);

const list = route(
  describe("listOrganizations", "List organizations", { 200: listOf(LISTED) }, {
    description: "All organizations of the hub, the oldest first, with what needs somebody in each.",
  }),
  requires("operator"),
  PAGED,
  (c) =>
    answerList(
      c,
      "organizations",
      (db, _, place) => listWithFigures(db, place),
      ({ organization }) => organization.id,
      viewListed,
    ),
);

const get = route(
  describe("getOrganization", "Get an organization", { 200: versioned(ORGANIZATION) }, {
    description: "Its name, time zone, contacts, phone country and required fields, with the version for `If-Match`.",
  }),
  requires("operator"),
  (c) => getVersion(c, load, viewOrganization),
);

const update = route(
  describe("updateOrganization", "Update an organization", { 200: versioned(ORGANIZATION) }, {
    description: "Changes the given fields only, for later runs.",
    headers: [IF_MATCH],
  }),
  requires("operator"),
  jsonBody(CHANGES),
  (c) => change(c, load, c.req.valid("json")),
);

const remove = route(
  describe("deleteOrganization", "Delete an organization", { 204: NOTHING }, {
    description: "Deletes its users, connections, runs and tokens, for good. Refused while one of its runs " +
      "is active, and for `default`.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("operator"),
  (c) =>
    deleteVersion(c, load, async (db, current, now, by) => {
      if (current.slug === "default") throw new Fault("conflict", 'The organization "default" cannot be deleted');
      if (await deleteOrganization(db, current, now, by)) return true;
      if (!await isOrganizationAtWork(db, current)) return false;
      throw new Fault("conflict", `A run of "${current.slug}" is active; cancel it or wait until it ends`);
    }),
);

const getOwn = route(
  describe("getOwnOrganization", "Get the token's organization", { 200: versioned(ORGANIZATION) }, {
    description: "Any token may read it, except one with the scope `bridge` alone.",
  }),
  (c) => {
    // A bridge serves organizations without belonging to one.
    const { scopes } = c.get("token");
    if (scopes.includes("bridge") && scopes.every((scope) => scope === "bridge")) {
      throw new Fault("forbidden", 'A token with the scope "bridge" alone can only use the bridge\'s own routes');
    }
    const organization = c.get("organization");
    return withVersion(c, organization, viewOrganization(organization));
  },
);

const updateOwn = route(
  describe("updateOwnOrganization", "Update the token's organization", { 200: versioned(ORGANIZATION) }, {
    description: "Changes the given fields only, for later runs.",
    headers: [IF_MATCH],
  }),
  requires("admin"),
  jsonBody(CHANGES),
  (c) => {
    const { id } = c.get("organization");
    return change(c, async () => (await findOrganization(c.get("hub").db, id))!, c.req.valid("json"));
  },
);

export const organizationRoutes: Hono<Env> = new Hono<Env>()
  .post("/organizations", ...create)
  .get("/organizations", ...list)
  .get("/organizations/:id", ...get)
  .patch("/organizations/:id", ...update)
  .delete("/organizations/:id", ...remove)
  .get("/organization", ...getOwn)
  .patch("/organization", ...updateOwn);

function change(
  c: Context<Env>,
  loadCurrent: typeof load,
  { retention, ...input }: z.infer<typeof CHANGES>,
): Promise<Response> {
  return changeVersion(
    c,
    loadCurrent,
    (db, current, now, by) => {
      const changed = changedRetention(c, current, retention);
      const changes = { ...toInput(input), ...(changed === undefined ? {} : { retention: changed }) };
      return updateOrganization(db, current.id, current.version, changes, now, by);
    },
    viewOrganization,
  );
}

function toInput(input: Omit<z.infer<typeof CHANGES>, "retention">): Partial<OrganizationInput> {
  return {
    ...(input.name === undefined ? {} : { name: input.name }),
    ...(input.timezone === undefined ? {} : { timezone: input.timezone }),
    ...(input.technical_contact === undefined ? {} : { technicalContact: input.technical_contact }),
    ...(input.reply_to === undefined ? {} : { replyTo: input.reply_to }),
    ...(input.phone_country === undefined ? {} : { phoneCountry: input.phone_country }),
    ...(input.required_fields === undefined ? {} : { requiredFields: [...new Set(input.required_fields)] }),
  };
}
