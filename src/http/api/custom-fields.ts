/** Custom fields of an organization: created or changed by their key, listed, deleted with all users' values. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { CUSTOM_FIELD_TYPES, type CustomField, DEPARTMENT_FIELDS, USER_FIELDS } from "../../model/record.ts";
import {
  deleteCustomField,
  findCustomField,
  isCustomFieldUsed,
  loadCustomFields,
  MAX_CUSTOM_FIELDS,
  putCustomField,
} from "../../store/people/custom-fields.ts";
import { requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { listOf } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { LINE, NAME } from "../kit/values.ts";
import { deleteVersion, getVersion, withVersion, writeVersion } from "../kit/version.ts";
import { loader, pathParameter } from "../kit/load.ts";

/** Keys are used in headers and in JSON paths: no quotes, no control characters, no name that the hub itself uses. */
// deno-lint-ignore no-control-regex
const KEY = /^(?!_)[^"\\,;|\u0000-\u001f\u007f]{1,100}$/;

const OPTION = LINE.min(1, "should not be empty").max(254).regex(/^[^,]*$/, "should have no comma");

const FIELD = z.strictObject({
  label: NAME.optional(),
  type: z.enum(CUSTOM_FIELD_TYPES),
  required: z.boolean().default(false),
  options: z.array(OPTION).max(1000).default([]),
  max_length: z.int().min(1).max(10_000).nullable().default(null),
}).superRefine((field, context) => {
  const chooses = field.type === "select" || field.type === "multi_select";
  const wrong = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (chooses && field.options.length === 0) wrong("options", `should name what a ${field.type} can be`);
  if (!chooses && field.options.length > 0) wrong("options", "should only be given for select and multi_select");
  if (new Set(field.options).size < field.options.length) wrong("options", "should name each option once");
});

const TAKEN = new Set([...USER_FIELDS, ...DEPARTMENT_FIELDS, "is_archived", "id", "status"].map(relax));

const SHOWN = z.strictObject({
  key: z.string().meta({ examples: ["shoe_size"] }),
  label: z.string().meta({ examples: ["Shoe size"] }),
  type: z.enum(CUSTOM_FIELD_TYPES).meta({ examples: ["number"] }),
  required: z.boolean(),
  options: z.array(z.string()).readonly().meta({ examples: [[]] }),
  max_length: z.int().nullable().meta({ examples: [null] }),
}).meta({ id: "CustomField" });

export type CustomFieldView = z.infer<typeof SHOWN>;

function viewField(field: CustomField): CustomFieldView {
  return {
    key: field.key,
    label: field.label,
    type: field.type,
    required: field.required,
    options: field.options,
    max_length: field.maxLength,
  };
}

const loadKey = loader("custom field", findCustomField);
const load = (c: Context<Env>) => loadKey(c, pathParameter(c, "key"));

const list = route(
  describe("listCustomFields", "List custom fields", { 200: listOf(SHOWN) }, {
    description: "All of them in one answer; an organization has at most 200.",
  }),
  requires("users:read"),
  async (c) => {
    const fields = await loadCustomFields(c.get("hub").db, c.get("organization").id);
    return c.json({ data: fields.map(viewField), next_cursor: null });
  },
);

const get = route(
  describe("getCustomField", "Get a custom field", { 200: versioned(SHOWN) }, {
    description: "Its type, options and limits, with the version for `If-Match`.",
  }),
  requires("users:read"),
  (c) => getVersion(c, load, viewField),
);

const put = route(
  describe("putCustomField", "Create or replace a custom field", { 200: versioned(SHOWN), 201: versioned(SHOWN) }, {
    description: "From then on inputs may have a column of that name. The type can change only while " +
      "nobody has a value in it. At most 200 fields.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("users:write"),
  jsonBody(FIELD),
  async (c) => {
    const { label, type, required, options, max_length } = c.req.valid("json");
    const organizationId = c.get("organization").id;
    const key = c.req.param("key").normalize("NFC").trim();
    if (!KEY.test(key)) {
      throw new Fault(
        "invalid_request",
        `Cannot use "${key}" as key: it should be a header of up to 100 characters without quotes, commas and a leading _`,
      );
    }
    const loadAll = async () => {
      const fields = await loadCustomFields(c.get("hub").db, organizationId);
      const known = fields.find((field) => field.key === key);
      return { fields, known, version: known?.version ?? 0 };
    };
    const written = await writeVersion(c, loadAll, async (db, { fields, known, version }, now, by) => {
      if (known === undefined) requireNew(c, key, fields);
      else if (known.type !== type && await isCustomFieldUsed(db, organizationId, key)) {
        throw new Fault(
          "conflict",
          `"${key}" has the type ${known.type} and people have values in it; delete it before changing its type to ${type}`,
        );
      }
      const field = { key, label: label ?? known?.label ?? key, type, required, options, maxLength: max_length };
      return await putCustomField(db, organizationId, field, now, by, version);
    });
    return withVersion(c, written, viewField(written), written.version === 1 ? 201 : 200);
  },
);

const remove = route(
  describe("deleteCustomField", "Delete a custom field", { 204: NOTHING }, {
    description: "Everybody's values in it are deleted with it, for good.",
    headers: [IF_MATCH],
  }),
  requires("users:write"),
  (c) =>
    deleteVersion(
      c,
      load,
      (db, { key, version }, now, by) => deleteCustomField(db, c.get("organization").id, key, version, now, by),
    ),
);

export const customFieldRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .get("/:key", ...get)
  .put("/:key", ...put)
  .delete("/:key", ...remove);

/** Fails when a new field cannot have this key. */
function requireNew(c: Context<Env>, key: string, fields: readonly CustomField[]): void {
  if (c.req.header("if-match") !== undefined) {
    throw new Fault("stale", `There is no custom field "${key}" yet, and If-Match names a version of it`);
  }
  if (TAKEN.has(relax(key))) throw new Fault("conflict", `"${key}" is a built-in field; choose another key`);
  // Every JavaScript object inherits such a name, so it would seem to have a value.
  if (key in Object.prototype) throw new Fault("conflict", `"${key}" is a reserved name; choose another key`);
  const twin = fields.find((field) => relax(field.key) === relax(key));
  if (twin) {
    throw new Fault("conflict", `"${key}" is too similar to the field "${twin.key}"; choose another key`);
  }
  if (fields.length >= MAX_CUSTOM_FIELDS) {
    throw new Fault("conflict", `There are already ${MAX_CUSTOM_FIELDS} custom fields, the maximum`);
  }
}

/** Folds a key as headers are folded: spellings that are equal afterwards mean the same field. */
function relax(key: string): string {
  return key.normalize("NFC").toLowerCase().replace(/[\s_.-]+/g, "");
}
