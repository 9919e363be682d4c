/** People as resources, loaded from the store. */
import type { Context } from "hono";
import { decodeId, encodeId } from "../../model/id.ts";
import { ScimError } from "../../scim/error.ts";
import { isShown, project, type Projection } from "../../scim/project.ts";
import { userResource } from "../../scim/user-resource.ts";
import type { Resource } from "../../scim/value.ts";
import { loadPeople, type ScimPerson } from "../../store/scim/users.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import { tagged } from "./answer.ts";
import type { Scim } from "./context.ts";

/** The person that the path names, with their resource as it is shown in full. */
export async function loadPerson(c: Context<Env>, scim: Scim): Promise<{ person: ScimPerson; resource: Resource }> {
  const name = pathParameter(c, "id");
  const id = decodeId("usr", name);
  const person = id === null ? undefined : (await loadPeople(c.get("hub").db, scim.within, [id], WITH_GROUPS))[0];
  if (person === undefined) throw new ScimError("notFound", `There is no user "${name.slice(0, 100)}"`);
  return { person, resource: viewPerson(scim, person) };
}

const WITH_GROUPS = { withGroups: true };

export function viewPerson({ customFields, base }: Scim, person: ScimPerson): Resource {
  const { row, stored: { user, department, manager }, managerName } = person;
  return tagged(userResource(
    {
      id: encodeId("usr", user.id),
      externalId: row.externalId,
      userName: row.userName,
      displayName: row.displayName,
      active: user.status === "active",
      fields: {
        first_name: user.firstName,
        last_name: user.lastName,
        preferred_name: user.preferredName,
        title: user.title,
        employment_status: user.employmentStatus,
        language: user.language,
        timezone: user.timezone,
        email: user.email,
        phone: user.phone,
        mobile_phone: user.mobilePhone,
        location: user.location,
        employee_id: user.employeeId,
        department_name: department?.name ?? null,
        hire_date: user.hireDate,
        deactivation_date: user.deactivationDate,
        on_leave: user.onLeave,
      },
      custom: user.custom ?? {},
      manager: manager === null ? null : { id: encodeId("usr", manager.id), name: managerName },
      groups: person.groups.map(({ id, name }) => ({ id: encodeId("grp", id), name })),
      createdAt: row.createdAt,
      changedAt: Math.max(row.updatedAt, user.updatedAt),
    },
    customFields,
    base,
  ));
}

/** The people with these ids as an answer shows them. */
export async function viewPeople(
  c: Context<Env>,
  scim: Scim,
  ids: readonly number[],
  projection: Projection,
): Promise<Resource[]> {
  const withGroups = isShown(projection, "groups") || isShown(projection, "meta");
  const people = await loadPeople(c.get("hub").db, scim.within, ids, { withGroups });
  return people.map((person) => project(scim.users, viewPerson(scim, person), projection));
}
