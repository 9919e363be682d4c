/** Users: listed, read, edited by hand, and their history. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { eraseUser } from "../../people/erase.ts";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { foldEmail } from "../../reconcile/fold.ts";
import { MAX_SEARCHED, searchedWords } from "../../store/people/search-words.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import { loadCustomFields } from "../../store/people/custom-fields.ts";
import { findErasure } from "../../store/people/erasures.ts";
import { findDepartmentNamed } from "../../store/people/departments.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { findUserIds, isHeavy } from "../../store/people/search.ts";
import { imageOf, writeUserEdit } from "../../store/people/user-edits.ts";
import { findUser, findUserIdsNamed, loadChain, loadUsers, type StoredUser } from "../../store/people/users.ts";
import { dateIn, parseInstant, toInstant, toInstantOrNull } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { askerOf } from "../kit/caller.ts";
import { describe, IF_MATCH, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { route } from "../kit/route.ts";
import { ERASURE, viewErasure } from "./erasures.ts";
import { cursorAfter, PAGING, readCursor } from "../kit/paging.ts";
import { readsPeople } from "../kit/reading.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { editUser, USER_PATCH, type UserPatch } from "./user-patch.ts";
import { jsonBody, query } from "../kit/validate.ts";
import { NO_FIELDS } from "../kit/values.ts";
import { requireMatch, withVersion, writeVersion } from "../kit/version.ts";

const FILTER = z.strictObject({
  ...PAGING,
  email: z.string().optional().meta({ description: "The user with this email; case does not matter" }),
  employee_id: z.string().optional().meta({ description: "The user with exactly this `employee_id`" }),
  status: z.enum(["active", "inactive"]).optional().meta({ description: "Users with this status only" }),
  department: z.string().optional().meta({ description: "Users in this department, by id or name" }),
  updated_since: z.string().transform((text) => parseInstant(text)).refine(
    (ms) => ms !== null,
    "should be a date or an instant, like 2026-03-01T08:00:00Z",
  ).optional().meta({ description: "Users that were changed at or after this date or instant" }),
  q: z.string().trim().min(1).max(200).refine(
    (text) => searchedWords(text).length <= MAX_SEARCHED,
    `should be at most ${MAX_SEARCHED} words`,
  ).optional().meta({ description: "Up to 8 words or beginnings of words, all of which have to match" }),
});

const TEXT = z.string().nullable();

export const USER = z.strictObject({
  id: idOf("usr"),
  employee_id: TEXT.meta({ examples: ["000123"] }),
  email: TEXT.meta({ examples: ["ana@example.com"] }),
  first_name: TEXT.meta({ examples: ["Ana"] }),
  last_name: TEXT.meta({ examples: ["Example"] }),
  preferred_name: TEXT.meta({ examples: [null] }),
  username: TEXT.meta({ examples: [null] }),
  title: TEXT.meta({ examples: ["Engineer"] }),
  department: z.strictObject({ id: idOf("dep"), name: z.string() }).nullable()
    .meta({ examples: [{ id: "dep_2", name: "Finance" }] }),
  manager: z.strictObject({ id: idOf("usr"), employee_id: TEXT, email: TEXT }).nullable()
    .meta({ examples: [{ id: "usr_3", employee_id: "000100", email: "lee@example.com" }] }),
  location: TEXT.meta({ examples: [null] }),
  phone: TEXT.meta({ examples: [null] }),
  mobile_phone: TEXT.meta({ examples: [null] }),
  hire_date: TEXT.meta({ examples: ["2026-03-02"] }),
  deactivation_date: TEXT.meta({ examples: [null] }),
  employment_status: TEXT.meta({ examples: [null] }),
  on_leave: z.boolean().meta({ examples: [false] }),
  timezone: TEXT.meta({ examples: ["Europe/Berlin"] }),
  language: TEXT.meta({ examples: ["de"] }),
  status: z.enum(["active", "inactive"]),
  custom: z.record(z.string(), z.unknown()).meta({ description: "By the custom field's key", examples: [{}] }),
  edited_by_hand: z.array(z.string()).meta({ description: "Fields that a person wrote last", examples: [["title"]] }),
  sources: z.array(z.strictObject({
    connection_id: idOf("con"),
    source_key: z.string().meta({ examples: ["000123"] }),
    missing_since: INSTANT.nullable().meta({ examples: [null] }),
  })),
  version: z.int().meta({ examples: [3] }),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "User" });

const USER_CHANGED = USER.pick({ id: true, version: true, updated_at: true }).meta({ id: "UserChanged" });

/** For whoever may write people and not read them. */
function viewChanged({ user }: StoredUser): z.infer<typeof USER_CHANGED> {
  return { id: encodeId("usr", user.id), version: user.version, updated_at: toInstant(user.updatedAt) };
}

const ERASED_USER = USER.extend({ erasure: ERASURE }).meta({ id: "ErasedUser" });

/** A user as the API shows it. */
export function viewUser({ user, department, manager, links }: StoredUser): z.infer<typeof USER> {
  return {
    id: encodeId("usr", user.id),
    employee_id: user.employeeId,
    email: user.email,
    first_name: user.firstName,
    last_name: user.lastName,
    preferred_name: user.preferredName,
    username: user.username,
    title: user.title,
    department: department === null ? null : { id: encodeId("dep", department.id), name: department.name },
    manager: manager === null
      ? null
      : { id: encodeId("usr", manager.id), employee_id: manager.employeeId, email: manager.email },
    location: user.location,
    phone: user.phone,
    mobile_phone: user.mobilePhone,
    hire_date: user.hireDate,
    deactivation_date: user.deactivationDate,
    employment_status: user.employmentStatus,
    on_leave: user.onLeave,
    timezone: user.timezone,
    language: user.language,
    status: user.status,
    custom: user.custom ?? {},
    edited_by_hand: (user.editedByHand ?? []).map((field) => field === "department_name" ? "department" : field),
    sources: links.map((link) => ({
      connection_id: encodeId("con", link.connectionId),
      source_key: link.sourceKey,
      missing_since: toInstantOrNull(link.missingSince),
    })),
    version: user.version,
    created_at: toInstant(user.createdAt),
    updated_at: toInstant(user.updatedAt),
  };
}

const list = route(
  describe("listUsers", "List users", { 200: listOf(USER) }, {
    description: "Filters can be combined. Searches by `q` over many people share a small number of slots " +
      "and may be answered with 503.",
  }),
  requires("users:read"),
  query(FILTER),
  async (c) => {
    const input = c.req.valid("query");
    const { db } = c.get("hub");
    const organizationId = c.get("organization").id;
    const department = input.department === undefined
      ? null
      : await findDepartmentNamed(db, organizationId, input.department);
    const filter = {
      email: input.email === undefined ? null : foldEmail(input.email),
      employeeId: input.employee_id?.trim().normalize("NFC") ?? null,
      status: input.status ?? null,
      // No department has the id 0: an unknown one has nobody in it.
      departmentId: input.department === undefined ? null : department?.id ?? 0,
      updatedSince: input.updated_since ?? null,
      q: input.q ?? null,
    };
    const after = readCursor("users", input.cursor) ?? 0;
    const page = { after, limit: input.limit };
    const { ids, next } = isHeavy(filter)
      ? await readHeavy(c.get("hub"), "findUserIds", askerOf(c), organizationId, filter, page)
      : await findUserIds(db, organizationId, filter, page);
    const found = await loadUsers(db, organizationId, ids);
    return c.json({ data: found.map(viewUser), next_cursor: next === null ? null : cursorAfter("users", next) });
  },
);

const get = route(
  describe("getUser", "Get a user", { 200: versioned(USER) }, {
    description: "All fields, the connections that it comes from, and the version for `If-Match`.",
  }),
  requires("users:read"),
  async (c) => {
    const user = await loadUser(c, c.req.param("id"));
    return withVersion(c, user, viewUser(user));
  },
);

const update = route(
  describe("updateUser", "Update a user by hand", { 200: versioned(z.union([USER, USER_CHANGED])) }, {
    description: "Changes the given fields only. Whether later runs keep or overwrite them is the " +
      "connection's policy. Without the scope `users:read` the answer has the id and version " +
      "alone.",
    headers: [IF_MATCH],
    faults: ["conflict", "unprocessable"],
  }),
  requires("users:write"),
  jsonBody(USER_PATCH),
  async (c) => {
    const patch = c.req.valid("json");
    const { db, now } = c.get("hub");
    const organization = c.get("organization");
    const customFields = await loadCustomFields(db, organization.id);
    await writeVersion(c, () => loadUser(c, c.req.param("id")), async (current) => {
      const edit = editUser(imageOf(current.user), patch, {
        customFields,
        requiredFields: organization.requiredFields,
        today: dateIn(organization.timezone, now()),
        departmentId: await findDepartmentId(c, current, patch.department),
        managerId: await findManagerId(c, current, patch.manager),
      });
      if (edit === null) return true;
      try {
        return await writeUserEdit(db, current.user, edit, now(), byOf(c)) ? true : null;
      } catch (error) {
        throw await takenBy(c, error, patch, edit.after[0] as string | null, edit.after[1] as string | null);
      }
    });
    const changed = await loadUser(c, c.req.param("id"));
    return withVersion(c, changed, readsPeople(c) ? viewUser(changed) : viewChanged(changed));
  },
);

const erase = route(
  describe(
    "eraseUser",
    "Erase a person",
    { 200: versioned(ERASED_USER) },
    {
      description: "Deletes every stored value of a person, for good; the audit keeps ids. The hub's own " +
        "tables are done in one step; the answer lists what is `pending`, and what is `left` for " +
        "you to do.",
      headers: [IF_MATCH],
      faults: ["conflict"],
    },
  ),
  requires("users:erase"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const current = await loadUser(c, c.req.param("id"));
    requireMatch(c, current);
    await eraseUser(c.get("hub"), c.get("organization").id, current.user.id, byOf(c));
    const erased = await loadUser(c, c.req.param("id"));
    const erasure = await loadErasure(c, erased);
    return withVersion(c, erased, { ...viewUser(erased), erasure } satisfies z.infer<typeof ERASED_USER>);
  },
);

const getErasure = route(
  describe("getErasure", "Get the progress of an erasure", { 200: ERASURE }, {
    description: "What is still `pending`, such as files on SFTP servers, and what is `left` outside of " +
      "the hub's reach.",
  }),
  requires("users:read"),
  async (c) => c.json(await loadErasure(c, await loadUser(c, c.req.param("id")))),
);

export function userRoutes(): Hono<Env> {
  return new Hono<Env>()
    .get("/", ...list)
    .get("/:id", ...get)
    .patch("/:id", ...update)
    .post("/:id/erase", ...erase)
    .get("/:id/erasure", ...getErasure);
}

/** The organization's user, or `not_found`. */
export async function loadUser(c: Context<Env>, name: string): Promise<StoredUser> {
  const id = decodeId("usr", name);
  const user = id === null ? null : await findUser(c.get("hub").db, c.get("organization").id, id);
  if (user === null) throw new Fault("not_found", `There is no user "${name}"`);
  return user;
}

async function loadErasure(c: Context<Env>, { user }: StoredUser): Promise<z.infer<typeof ERASURE>> {
  const erasure = await findErasure(c.get("hub").db, c.get("organization").id, user.id);
  if (erasure === null) throw new Fault("not_found", `The user "${encodeId("usr", user.id)}" has not been erased`);
  return await viewErasure(c.get("hub"), erasure);
}

async function findDepartmentId(
  c: Context<Env>,
  current: StoredUser,
  input: UserPatch["department"],
): Promise<number | null | undefined> {
  if (input === undefined || input === null) return input;
  const name = typeof input === "string" ? input : "id" in input ? input.id : input.name;
  const department = await findDepartmentNamed(c.get("hub").db, c.get("organization").id, name);
  if (department === null) throw wrong("/department", `There is no department "${name}"`);
  if (!department.active && department.id !== current.user.departmentId) {
    const shown = readsPeople(c) ? department.name : name;
    throw wrong("/department", `Department "${shown}" is inactive; it should be an active one`);
  }
  return department.id;
}

async function findManagerId(
  c: Context<Env>,
  current: StoredUser,
  input: UserPatch["manager"],
): Promise<number | null | undefined> {
  if (input === undefined || input === null) return input;
  const { db } = c.get("hub");
  const organizationId = c.get("organization").id;
  const text = typeof input === "string" ? input : Object.values(input)[0]!;
  const id = decodeId("usr", text);
  const found = id !== null && (typeof input === "string" || "id" in input)
    ? [(await findUser(db, organizationId, id))?.user].filter((user) => user !== undefined)
    : await findUserIdsNamed(db, organizationId, {
      employeeId: typeof input === "string" || "employee_id" in input ? text.trim().normalize("NFC") : null,
      email: typeof input === "string" || "email" in input ? foldEmail(text) : null,
    });
  const manager = found.find((user) => user.status === "active") ?? found[0];
  if (manager === undefined) throw wrong("/manager", `There is no user "${text}" to be the manager`);
  if (manager.id === current.user.id) throw wrong("/manager", "A user cannot be their own manager");
  if (manager.id !== current.user.managerId) {
    const chain = await loadChain(db, organizationId, manager.id);
    const end = chain.findIndex((user) => user.id === current.user.id);
    if (end >= 0) {
      const path = [{ id: current.user.id, name: nameOf(current) }, ...chain.slice(0, end + 1)];
      const named = path.map((user) => (readsPeople(c) ? user.name : null) ?? encodeId("usr", user.id));
      throw wrong("/manager", `The managers would form a circle: ${named.join(" → ")}`);
    }
  }
  return manager.id;
}

function nameOf({ user }: StoredUser): string | null {
  return user.email ?? user.employeeId;
}

/** What a refused unique index means; another error as it is. */
async function takenBy(
  c: Context<Env>,
  error: unknown,
  patch: UserPatch,
  employeeId: string | null,
  email: string | null,
): Promise<unknown> {
  const field = isUniqueViolation(error, "employee_id") ? "employee_id" : isUniqueViolation(error) ? "email" : null;
  if (field === null) return error;
  const value = field === "email" ? email : employeeId;
  const holders = await findUserIdsNamed(c.get("hub").db, c.get("organization").id, {
    employeeId: field === "employee_id" ? value : null,
    email: field === "email" ? value : null,
  });
  const holder = holders.find((user) =>
    user.id !== decodeId("usr", c.req.param("id") ?? "") && (field !== "email" || user.status === "active")
  );
  const who = holder === undefined ? "another user" : `user ${encodeId("usr", holder.id)}`;
  // Somebody who comes back does so with what they have.
  const shown = readsPeople(c) || patch[field] !== undefined ? ` "${value}"` : "";
  const detail = field === "email"
    ? `The email${shown} belongs to the active ${who}`
    : `The employee_id${shown} belongs to ${who}`;
  return new Fault("conflict", `${detail}; use one that nobody else has`, {
    cause: error,
    errors: [{ pointer: `/${field}`, detail }],
  });
}

function wrong(pointer: string, detail: string): Fault {
  return new Fault("unprocessable", detail, { errors: [{ pointer, detail }] });
}
