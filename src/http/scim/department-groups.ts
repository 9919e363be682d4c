/**
 * Groups that are departments, where the connection's settings say so: of a group whose name begins with
 * `department_groups`, the rest of the name is the department of its members. What changes so is a record of each member,
 * and goes the way of all records, before the group itself is stored.
 */
import type { Context } from "hono";
import type { FieldRecord } from "../../scim/user-record.ts";
import { keysOfPeople } from "../../store/scim/users.ts";
import { loadUsers } from "../../store/people/users.ts";
import type { Env } from "../kit/env.ts";
import type { Scim } from "./context.ts";
import { type RecordAbout, writeRecords } from "./write-record.ts";

export interface GroupStep {
  /** Null: there is no group before, or after. */
  readonly before: string | null;
  readonly after: string | null;
  /** Members afterwards who stay in their department as long as the name stays. */
  readonly kept: readonly number[];
  readonly added: readonly number[];
  readonly removed: readonly number[];
}

/** Records of one run. */
const TOGETHER = 1_000;

export async function setDepartments(c: Context<Env>, scim: Scim, step: GroupStep): Promise<void> {
  const before = departmentOf(scim, step.before), after = departmentOf(scim, step.after);
  if (before === null && after === null) return;
  const joining = after === null ? [] : before === after ? step.added : [...step.kept, ...step.added];
  const leaving = before === null ? [] : after === null ? [...step.kept, ...step.removed] : step.removed;
  const gone = await stillIn(c, scim, leaving, before);
  const records = new Map<number, FieldRecord>([
    ...gone.map((id) => [id, { department_name: null }] as const),
    ...joining.map((id) => [id, { department_name: after }] as const),
  ]);
  if (records.size === 0) return;
  const keys = await keysOfPeople(c.get("hub").db, scim.within, [...records.keys()]);
  const all = [...records].flatMap(([userId, fields]): RecordAbout[] => {
    const sourceKey = keys.get(userId);
    return sourceKey === undefined ? [] : [{ sourceKey, userId, fields }];
  });
  for (let from = 0; from < all.length; from += TOGETHER) await writeRecords(c, scim, all.slice(from, from + TOGETHER));
}

/** The department that a group with this name is; null: it is none. */
function departmentOf({ connection }: Scim, name: string | null): string | null {
  const prefix = connection.settings.department_groups;
  if (name === null || typeof prefix !== "string" || !name.toLowerCase().startsWith(prefix.toLowerCase())) return null;
  const rest = name.slice(prefix.length).trim();
  return rest === "" ? null : rest;
}

/** Those who are in the department still: those who have another one by now keep it. */
async function stillIn(
  c: Context<Env>,
  { within }: Scim,
  ids: readonly number[],
  department: string | null,
): Promise<number[]> {
  if (ids.length === 0 || department === null) return [];
  const people = await loadUsers(c.get("hub").db, within.organizationId, ids);
  const isIt = (name: string | undefined) => name?.toLowerCase() === department.toLowerCase();
  return people.filter((each) => isIt(each.department?.name)).map(({ user }) => user.id);
}
