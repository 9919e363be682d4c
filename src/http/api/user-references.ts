/** What an edit of a user refers to: its department and its manager, found by the names that the request gives them. */
import type { Context } from "hono";
import { decodeId, encodeId } from "../../model/id.ts";
import { foldEmail } from "../../reconcile/fold.ts";
import { findDepartmentNamed } from "../../store/people/departments.ts";
import { findUser, findUserIdsNamed, loadChain, type StoredUser } from "../../store/people/users.ts";
import type { Env } from "../kit/env.ts";
import { unprocessable } from "../kit/problem.ts";
import { readsPeople } from "../kit/reading.ts";
import type { UserPatch } from "./user-patch.ts";

/** The id of the department that a patch names; undefined: the patch does not name one. */
export async function findDepartmentId(
  c: Context<Env>,
  current: StoredUser,
  input: UserPatch["department"],
): Promise<number | null | undefined> {
  if (input === undefined || input === null) return input;
  const name = typeof input === "string" ? input : "id" in input ? input.id : input.name;
  const department = await findDepartmentNamed(c.get("hub").db, c.get("organization").id, name);
  if (department === null) throw unprocessable("/department", `There is no department "${name}"`);
  if (!department.active && department.id !== current.user.departmentId) {
    const shown = readsPeople(c) ? department.name : name;
    throw unprocessable("/department", `Department "${shown}" is inactive; it should be an active one`);
  }
  return department.id;
}

/** The id of the manager that a patch names; undefined: the patch does not name one. Refuses a circle of managers. */
export async function findManagerId(
  c: Context<Env>,
  current: StoredUser,
  input: UserPatch["manager"],
): Promise<number | null | undefined> {
  if (input === undefined || input === null) return input;
  const text = typeof input === "string" ? input : Object.values(input)[0]!;
  const found = await findNamed(c, input, text);
  const manager = found.find((user) => user.status === "active") ?? found[0];
  if (manager === undefined) throw unprocessable("/manager", `There is no user "${text}" to be the manager`);
  if (manager.id === current.user.id) throw unprocessable("/manager", "A user cannot be their own manager");
  if (manager.id !== current.user.managerId) await requireNoCircle(c, current, manager.id);
  return manager.id;
}

/** `text` is an id, an employee id or an email: what `input` declares it to be, or any of them if `input` is a text. */
async function findNamed(c: Context<Env>, input: NonNullable<UserPatch["manager"]>, text: string) {
  const { db } = c.get("hub");
  const organizationId = c.get("organization").id;
  const may = (kind: string) => typeof input === "string" || kind in input;
  const id = may("id") ? decodeId("usr", text) : null;
  if (id !== null) {
    const found = await findUser(db, organizationId, id);
    const into = found?.user.mergedInto ?? null;
    if (into !== null) {
      throw unprocessable("/manager", `The user "${text}" was merged into "${encodeId("usr", into)}"; name that one`);
    }
    return found === null ? [] : [found.user];
  }
  return await findUserIdsNamed(db, organizationId, {
    employeeId: may("employee_id") ? text.trim().normalize("NFC") : null,
    email: may("email") ? foldEmail(text) : null,
  });
}

async function requireNoCircle(c: Context<Env>, { user }: StoredUser, managerId: number): Promise<void> {
  const chain = await loadChain(c.get("hub").db, c.get("organization").id, managerId);
  const end = chain.findIndex(({ id }) => id === user.id);
  if (end < 0) return;
  const path = [{ id: user.id, name: user.email ?? user.employeeId }, ...chain.slice(0, end + 1)];
  const named = path.map(({ id, name }) => (readsPeople(c) ? name : null) ?? encodeId("usr", id));
  throw unprocessable("/manager", `The managers would form a circle: ${named.join(" → ")}`);
}
