/** Users: list, read, edit by hand, erase. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { eraseUser } from "../../people/erase.ts";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import { findErasure } from "../../store/people/erasures.ts";
import { imageOf, writeUserEdit } from "../../store/people/user-edits.ts";
import { findUser, findUserIdsNamed, loadUsers, type StoredUser } from "../../store/people/users.ts";
import { dateIn } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { ERASURE, viewErasure } from "./erasures.ts";
import { answerListed, PAGING } from "../kit/paging.ts";
import { readsPeople } from "../kit/reading.ts";
import { listOf } from "../kit/shapes.ts";
import { filterOf, FILTERS, findFiltered } from "./user-filter.ts";
import { editUser, USER_PATCH, type UserPatch } from "./user-patch.ts";
import { findDepartmentId, findManagerId } from "./user-references.ts";
import { ERASED_USER, USER, USER_CHANGED, viewChanged, viewUser } from "./user-view.ts";
import { type Image, IMAGE_INDEX } from "../../reconcile/image.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { NO_FIELDS } from "../kit/values.ts";
import { getVersion, requireMatch, withVersion, writeVersion } from "../kit/version.ts";
import { byId, loader, pathParameter } from "../kit/load.ts";

const FILTER = z.strictObject({ ...PAGING, ...FILTERS });

/** The organization's user, or `not_found`; also one that was merged into another. */
export const loadAnyUser = loader("user", byId("usr", findUser));

/** Of a user that was merged into another, a read is sent on to that one (`merged`), and a write refused (`conflict`). */
export async function loadUser(c: Context<Env>): Promise<StoredUser> {
  const stored = await loadAnyUser(c);
  const { id, mergedInto } = stored.user;
  if (mergedInto === null) return stored;
  const from = encodeId("usr", id), into = encodeId("usr", mergedInto);
  if (c.req.method === "GET" || c.req.method === "HEAD") {
    const location = `${c.req.path.replace(pathParameter(c, "id"), into)}${new URL(c.req.url).search}`;
    throw new Fault("merged", `The user "${from}" was merged into "${into}"`, { location });
  }
  throw new Fault(
    "conflict",
    `The user "${from}" was merged into "${into}": write to that one, or undo the merge (DELETE /v1/users/${from}/merge)`,
  );
}

const list = route(
  describe("listUsers", "List users", { 200: listOf(USER) }, {
    description: "Filters can be combined. Searches by `q` over many people share a small number of slots " +
      "and may be answered with 503.",
  }),
  requires("users:read"),
  query(FILTER),
  async (c) => {
    const filter = await filterOf(c, c.req.valid("query"));
    const { db } = c.get("hub");
    return await answerListed(c, "users", async (page) => {
      const { ids, next } = await findFiltered(c, filter, page);
      return { data: (await loadUsers(db, c.get("organization").id, ids)).map(viewUser), next };
    });
  },
);

const get = route(
  describe("getUser", "Get a user", { 200: versioned(USER) }, {
    description: "All fields, the connections that it comes from, and the version for `If-Match`. A user that was " +
      "merged into another is answered with 301.",
    faults: ["merged"],
  }),
  requires("users:read"),
  (c) => getVersion(c, loadUser, viewUser),
);

const update = route(
  describe("updateUser", "Update a user by hand", { 200: versioned(z.union([USER, USER_CHANGED])) }, {
    description: "Changes the given fields only. Whether later runs keep or overwrite them is the connection's " +
      "policy. Without the scope `users:read` the answer has the id and version alone.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("users:write"),
  jsonBody(USER_PATCH),
  async (c) => {
    const patch = c.req.valid("json");
    const { id, requiredFields, timezone } = c.get("organization");
    const customFields = await loadCustomFields(c.get("hub").db, id);
    await writeVersion(c, loadUser, async (db, current, now, by) => {
      const edit = editUser(imageOf(current.user), patch, {
        customFields,
        requiredFields,
        today: dateIn(timezone, now),
        departmentId: await findDepartmentId(c, current, patch.department),
        managerId: await findManagerId(c, current, patch.manager),
      });
      if (edit === null) return true;
      try {
        return await writeUserEdit(db, current.user, edit, now, by) ? true : null;
      } catch (error) {
        throw await takenBy(c, error, patch, edit.after);
      }
    });
    const changed = await loadUser(c);
    return withVersion(c, changed, readsPeople(c) ? viewUser(changed) : viewChanged(changed));
  },
);

const erase = route(
  describe("eraseUser", "Erase a person", { 200: versioned(ERASED_USER) }, {
    description:
      "Deletes every stored value of a person, for good; the audit keeps ids. The answer lists what is `pending`, and what is `left` for you to do.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("users:erase"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const current = await loadUser(c);
    requireMatch(c, current);
    await eraseUser(c.get("hub"), c.get("organization").id, current.user.id, byOf(c));
    const erased = await loadUser(c);
    const view: z.infer<typeof ERASED_USER> = { ...viewUser(erased), erasure: await loadErasure(c, erased) };
    return withVersion(c, erased, view);
  },
);

const getErasure = route(
  describe("getErasure", "Get the progress of an erasure", { 200: ERASURE }, {
    description: "What is still `pending`, such as files on SFTP servers, and what is `left` outside of " +
      "the hub's reach.",
    faults: ["merged"],
  }),
  requires("users:read"),
  async (c) => c.json(await loadErasure(c, await loadUser(c))),
);

export const userRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .get("/:id", ...get)
  .patch("/:id", ...update)
  .post("/:id/erase", ...erase)
  .get("/:id/erasure", ...getErasure);

async function loadErasure(c: Context<Env>, { user }: StoredUser): Promise<z.infer<typeof ERASURE>> {
  const erasure = await findErasure(c.get("hub").db, c.get("organization").id, user.id);
  if (erasure === null) throw new Fault("not_found", `The user "${encodeId("usr", user.id)}" has not been erased`);
  return await viewErasure(c.get("hub"), erasure);
}

/** The fault for an email or employee id that another user has already; any other error is returned as it is. */
async function takenBy(c: Context<Env>, error: unknown, patch: UserPatch, after: Image): Promise<unknown> {
  const field = isUniqueViolation(error, "employee_id") ? "employee_id" : isUniqueViolation(error) ? "email" : null;
  if (field === null) return error;
  const value = after[IMAGE_INDEX[field]] as string | null;
  const holders = await findUserIdsNamed(c.get("hub").db, c.get("organization").id, {
    employeeId: field === "employee_id" ? value : null,
    email: field === "email" ? value : null,
  });
  const holder = holders.find((user) =>
    user.id !== decodeId("usr", pathParameter(c, "id")) && (field !== "email" || user.status === "active")
  );
  const who = holder === undefined ? "another user" : `user ${encodeId("usr", holder.id)}`;
  // The patch may reactivate a user whose stored value is taken. That value is shown only to tokens that read people.
  const shown = readsPeople(c) || patch[field] !== undefined ? ` "${value}"` : "";
  const detail = field === "email"
    ? `The email${shown} belongs to the active ${who}`
    : `The employee_id${shown} belongs to ${who}`;
  return new Fault("conflict", `${detail}; use one that nobody else has`, {
    cause: error,
    errors: [{ pointer: `/${field}`, detail }],
  });
}
