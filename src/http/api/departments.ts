/** Departments: list, read, rename, move below another, deactivate once no active user is left in them. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import {
  type DepartmentEdit,
  findDepartment,
  findDepartmentNamed,
  listDepartments,
  loadParents,
  type StoredDepartment,
  updateDepartment,
} from "../../store/people/departments.ts";
import { listDepartmentTree } from "../../store/people/department-tree.ts";
import { toInstant } from "../../std/time.ts";
import { requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { readsPeople } from "../kit/reading.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { NAME } from "../kit/values.ts";
import { getVersion, withVersion, writeVersion } from "../kit/version.ts";
import { byId, loader } from "../kit/load.ts";
import { answerList, PAGING } from "../kit/paging.ts";
import { unprocessable } from "../kit/problem.ts";

const CHANGES = z.strictObject({
  name: NAME.optional(),
  /** By id or name; null: none. */
  parent: z.union([
    z.string().min(1),
    z.strictObject({ id: z.string() }),
    z.strictObject({ name: z.string() }),
    z.null(),
  ])
    .optional(),
  active: z.boolean().optional(),
});
type Changes = z.infer<typeof CHANGES>;

const DEPARTMENT = z.strictObject({
  id: idOf("dep"),
  name: z.string().meta({ examples: ["Finance"] }),
  parent: z.strictObject({ id: idOf("dep"), name: z.string() }).nullable().meta({ examples: [null] }),
  department_id: z.string().nullable().meta({ examples: ["F-01"] }),
  active: z.boolean(),
  closing: z.boolean().meta({ description: "Becomes inactive once it has no active users", examples: [false] }),
  active_users: z.int(),
  depth: z.int().optional().meta({
    description: "How many departments are above it, with `order=tree`",
    examples: [1],
  }),
  version: z.int(),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "Department" });

/** A changed department, for tokens that may write departments and not read them. */
const DEPARTMENT_CHANGED = DEPARTMENT.pick({ id: true, version: true, updated_at: true })
  .meta({ id: "DepartmentChanged" });

export type DepartmentView = z.infer<typeof DEPARTMENT>;

const LISTED = z.strictObject({
  ...PAGING,
  order: z.enum(["age", "tree"]).default("age").meta({
    description: "The oldest first, or each one followed by those below it, neighbours by name",
  }),
});

function viewDepartment({ department, parent, activeUsers }: StoredDepartment): DepartmentView {
  return {
    id: encodeId("dep", department.id),
    name: department.name,
    parent: parent === null ? null : { id: encodeId("dep", parent.id), name: parent.name },
    department_id: department.externalId,
    active: department.active,
    closing: department.closing,
    active_users: activeUsers,
    version: department.version,
    created_at: toInstant(department.createdAt),
    updated_at: toInstant(department.updatedAt),
  };
}

const loadDepartment = loader("department", byId("dep", findDepartment));

const list = route(
  describe("listDepartments", "List departments", { 200: listOf(DEPARTMENT) }, {
    description: "All departments with their parents and numbers of active users, the oldest first or as a tree.",
  }),
  requires("users:read"),
  query(LISTED),
  (c) =>
    c.req.valid("query").order === "tree"
      ? answerList(c, "department-tree", listDepartmentTree, idOfRow, (row) => ({
        ...viewDepartment(row),
        depth: row.depth,
      }))
      : answerList(c, "departments", listDepartments, idOfRow, viewDepartment),
);

function idOfRow({ department }: StoredDepartment): number {
  return department.id;
}

const get = route(
  describe("getDepartment", "Get a department", { 200: versioned(DEPARTMENT) }, {
    description: "Its name, parent and number of active users, with the version for `If-Match`.",
  }),
  requires("users:read"),
  (c) => getVersion(c, loadDepartment, viewDepartment),
);

const update = route(
  describe("updateDepartment", "Rename, move or deactivate a department", {
    200: versioned(z.union([DEPARTMENT, DEPARTMENT_CHANGED])),
  }, {
    description: "Refused when active users are still in it, or parents would form a circle. Without the " +
      "scope `users:read` the answer has the id and version alone.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("users:write"),
  jsonBody(CHANGES),
  async (c) => {
    const input = c.req.valid("json");
    await writeVersion(c, loadDepartment, async (db, current, now, by) => {
      const edit = await readEdit(c, current, input);
      if (edit === null) return true;
      try {
        return await updateDepartment(db, current.department, edit, now, by) ? true : null;
      } catch (error) {
        if (!isUniqueViolation(error, "departments.folded")) throw error;
        throw new Fault("conflict", `There is already a department "${edit.name}"`, { cause: error });
      }
    });
    const changed = await loadDepartment(c);
    const view = viewDepartment(changed);
    const { id, version, updated_at } = view;
    return withVersion(c, changed, readsPeople(c) ? view : { id, version, updated_at });
  },
);

export const departmentRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .get("/:id", ...get)
  .patch("/:id", ...update);

/** The fields that would change; null: none. */
async function readEdit(c: Context<Env>, current: StoredDepartment, input: Changes): Promise<DepartmentEdit | null> {
  const { department } = current;
  const name = input.name?.normalize("NFC").replace(/\s+/g, " ");
  const parentId = input.parent === undefined || input.parent === null
    ? input.parent
    : await findParentId(c, current, input.parent);
  if (input.active === false && department.active && current.activeUsers > 0) {
    if (!readsPeople(c)) {
      throw new Fault("conflict", "The department cannot be deactivated: active users are still in it");
    }
    const people = current.activeUsers === 1 ? "1 active user is" : `${current.activeUsers} active users are`;
    throw new Fault("conflict", `Department "${department.name}" cannot be deactivated: ${people} still in it`);
  }
  const edit: DepartmentEdit = {
    ...(name === undefined || name === department.name ? {} : { name }),
    ...(parentId === undefined || parentId === department.parentId ? {} : { parentId }),
    ...(input.active === undefined || (input.active === department.active && !department.closing)
      ? {}
      : { active: input.active }),
  };
  return Object.keys(edit).length === 0 ? null : edit;
}

async function findParentId(
  c: Context<Env>,
  { department }: StoredDepartment,
  input: NonNullable<Changes["parent"]>,
): Promise<number> {
  const { db } = c.get("hub");
  const organizationId = c.get("organization").id;
  const name = typeof input === "string" ? input : "id" in input ? input.id : input.name;
  const parent = await findDepartmentNamed(db, organizationId, name);
  if (parent === null) throw unprocessable("/parent", `There is no department "${name}" to be the parent`);
  const chain = await loadParents(db, organizationId, parent.id);
  const end = chain.findIndex(({ id }) => id === department.id);
  if (end >= 0) {
    const path = [department, ...chain.slice(0, end + 1)].map((each) =>
      readsPeople(c) ? each.name : encodeId("dep", each.id)
    );
    throw unprocessable("/parent", `The departments would form a circle: ${path.join(" → ")}`);
  }
  return parent.id;
}
