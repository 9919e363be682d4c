/** Which users a request is about: the filters that the list of users and its files have in common. */
import type { Context } from "hono";
import { z } from "zod";
import { leaversDueAt, NO_RETENTION } from "../../model/retention.ts";
import { foldEmail } from "../../reconcile/fold.ts";
import { findDepartmentNamed } from "../../store/people/departments.ts";
import { readHeavy } from "../../store/people/heavy-reads.ts";
import { findUserIds, type FoundUsers, isHeavy } from "../../store/people/search.ts";
import { MAX_SEARCHED, searchedWords } from "../../store/people/search-words.ts";
import type { UserFilter } from "../../store/people/users.ts";
import { askerOf } from "../kit/caller.ts";
import type { Env } from "../kit/env.ts";
import { MOMENT } from "../kit/values.ts";

export const FILTERS = {
  email: z.string().optional().meta({ description: "The user with this email; case does not matter" }),
  employee_id: z.string().optional().meta({ description: "The user with exactly this `employee_id`" }),
  status: z.enum(["active", "inactive"]).optional().meta({ description: "Users with this status only" }),
  department: z.string().optional().meta({ description: "Users in this department, by id or name" }),
  updated_since: MOMENT.optional().meta({ description: "Users that were changed at or after this date or instant" }),
  erasure_due_before: MOMENT.optional().meta({ description: "Leavers whom the retention erases by then" }),
  q: z.string().trim().min(1).max(200).refine(
    (text) => searchedWords(text).length <= MAX_SEARCHED,
    `should be at most ${MAX_SEARCHED} words`,
  ).optional().meta({ description: "Up to 8 words or beginnings of words, all of which have to match" }),
};

const INPUT = z.strictObject(FILTERS);

/** The filter that the query's values mean. */
export async function filterOf(c: Context<Env>, input: z.infer<typeof INPUT>): Promise<UserFilter> {
  const department = input.department === undefined
    ? null
    : await findDepartmentNamed(c.get("hub").db, c.get("organization").id, input.department);
  return {
    email: input.email === undefined ? null : foldEmail(input.email),
    employeeId: input.employee_id?.trim().normalize("NFC") ?? null,
    status: input.status ?? null,
    // No department has the id 0, so an unknown department finds no users.
    departmentId: input.department === undefined ? null : department?.id ?? 0,
    updatedSince: input.updated_since ?? null,
    inactiveUntil: input.erasure_due_before === undefined
      ? null
      // Where leavers are kept for ever, nobody has been inactive for long enough.
      : leaversDueAt(c.get("organization").retention ?? NO_RETENTION, input.erasure_due_before) ?? -1,
    q: input.q ?? null,
  };
}

/** A page of the organization's users that fit the filter. */
export async function findFiltered(
  c: Context<Env>,
  filter: UserFilter,
  page: { readonly after: number; readonly limit: number },
): Promise<FoundUsers> {
  const hub = c.get("hub"), organizationId = c.get("organization").id;
  return isHeavy(filter)
    ? await readHeavy(hub, "findUserIds", askerOf(c), organizationId, filter, page)
    : await findUserIds(hub.db, organizationId, filter, page);
}
