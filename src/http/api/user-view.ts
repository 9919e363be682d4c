/** A user as the API shows it. */
import { z } from "zod";
import { encodeId } from "../../model/id.ts";
import type { StoredUser } from "../../store/people/users.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { idOf, INSTANT } from "../kit/shapes.ts";
import { ERASURE } from "./erasures.ts";

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
  sources: z.array(
    z.strictObject({
      connection_id: idOf("con"),
      source_key: z.string().meta({ examples: ["000123"] }),
      missing_since: INSTANT.nullable().meta({ examples: [null] }),
    }).meta({ id: "UserSource" }),
  ),
  version: z.int().meta({ examples: [3] }),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "User" });

export type UserView = z.infer<typeof USER>;

export const USER_CHANGED = USER.pick({ id: true, version: true, updated_at: true }).meta({ id: "UserChanged" });

/** A changed user, for tokens that may write people and not read them. */
export function viewChanged({ user }: StoredUser): z.infer<typeof USER_CHANGED> {
  return { id: encodeId("usr", user.id), version: user.version, updated_at: toInstant(user.updatedAt) };
}

export const ERASED_USER = USER.extend({ erasure: ERASURE }).meta({ id: "ErasedUser" });

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
