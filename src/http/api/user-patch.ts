/**
 * An edit by hand: what a person says of a user goes in, the user as it will be comes out, or what is wrong with it.
 *
 * Values are read by the readers of records, so that a hand and a file can say the same things. No I/O. No clock.
 */
import { z } from "zod";
import { Fault, type FaultDetail } from "../../model/errors.ts";
import type { Cell, CustomField } from "../../model/record.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "../../reconcile/image.ts";
import { createUserReaders } from "../../reconcile/values/fields.ts";
import { refusedIssue } from "../../reconcile/values/issue.ts";
import { isRefusal, type Reader, type Value } from "../../reconcile/values/value.ts";
import type { UserEdit } from "../../store/people/user-edits.ts";

/** Fields of a user that hold a value and no reference, and are their own column. */
const PLAIN = [
  "employee_id",
  "email",
  "first_name",
  "last_name",
  "preferred_name",
  "username",
  "title",
  "location",
  "phone",
  "mobile_phone",
  "hire_date",
  "deactivation_date",
  "employment_status",
  "on_leave",
  "timezone",
  "language",
] as const satisfies readonly ImageColumn[];

const VALUE = z.union([z.string(), z.number(), z.boolean(), z.null()]).optional();
const REFERENCE = z.union([
  z.string().min(1),
  z.strictObject({ id: z.string() }),
  z.null(),
]);

export const USER_PATCH = z.strictObject({
  ...Object.fromEntries(PLAIN.map((field) => [field, VALUE])) as { [field in (typeof PLAIN)[number]]: typeof VALUE },
  /** By id or name. */
  department: z.union([REFERENCE, z.strictObject({ name: z.string() })]).optional(),
  /** By id, employee id or email. */
  manager: z.union([REFERENCE, z.strictObject({ employee_id: z.string() }), z.strictObject({ email: z.string() })])
    .optional(),
  status: z.enum(["active", "inactive"]).optional(),
  custom: z.record(z.string(), z.union([VALUE, z.array(z.string())])).optional(),
  /** Edited fields that sources may write again. */
  release: z.array(z.string()).optional(),
});
export type UserPatch = z.infer<typeof USER_PATCH>;

export interface PatchContext {
  readonly customFields: readonly CustomField[];
  /** Fields that nobody in the organization may be without. */
  readonly requiredFields: readonly string[];
  /** YYYY-MM-DD in the organization's time zone. */
  readonly today: string;
  /** What `department` and `manager` of the patch stand for; undefined: not in the patch. */
  readonly departmentId: number | null | undefined;
  readonly managerId: number | null | undefined;
}

/** What the patch makes of the user; null when it changes nothing. Fails with `unprocessable`, naming every place. */
export function editUser(image: Image, patch: UserPatch, context: PatchContext): UserEdit | null {
  const after = image.slice();
  const edited = new Set(image[IMAGE_INDEX.edited_by_hand] as string[] | null);
  const sources = { ...image[IMAGE_INDEX.field_sources] as Record<string, number> | null };
  const before: Partial<Record<ImageColumn, Stored>> = {};
  const errors: FaultDetail[] = [];
  const readers = createUserReaders({ key: null, dateFormat: "YYYY-MM-DD", customFields: context.customFields });

  /** `field` is what sources call it. */
  function set(column: ImageColumn, field: string, value: Stored): void {
    const current = image[IMAGE_INDEX[column]]!;
    if (column !== "custom" && sameStored(current, value)) return;
    before[column] = current;
    after[IMAGE_INDEX[column]] = value;
    edited.add(field);
    sources[field] = 0;
  }

  for (const field of PLAIN) {
    const value = read(readers, field, patch[field], `/${field}`, context.requiredFields.includes(field), errors);
    if (value === undefined) continue;
    set(field, field, field === "on_leave" ? (value === true ? 1 : 0) : value as Stored);
  }
  if (context.departmentId !== undefined) set("department_id", "department_name", context.departmentId);
  if (context.managerId !== undefined) set("manager_id", "manager", context.managerId);
  setCustom();
  setStatus();
  for (const name of patch.release ?? []) checkReleasable(name);
  if (errors.length > 0) throw new Fault("unprocessable", errors[0]!.detail, { errors });
  for (const name of patch.release ?? []) release(name);

  const touched = !sameStored(listOf(edited), listOf(new Set(image[IMAGE_INDEX.edited_by_hand] as string[] | null)));
  if (Object.keys(before).length === 0 && !touched) return null;
  after[IMAGE_INDEX.edited_by_hand] = listOf(edited);
  after[IMAGE_INDEX.field_sources] = Object.keys(sources).length === 0 ? null : sources;
  const status = after[IMAGE_INDEX.status];
  const action = before.status === undefined ? "update" : status === "active" ? "reactivate" : "deactivate";
  return { action, after, before };

  function setCustom(): void {
    const custom = { ...image[IMAGE_INDEX.custom] as Record<string, unknown> | null };
    for (const [key, cell] of Object.entries(patch.custom ?? {})) {
      const field = context.customFields.find((each) => each.key === key);
      const pointer = `/custom/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      if (field === undefined) {
        errors.push({ pointer, detail: `There is no custom field "${key}"` });
        continue;
      }
      const value = read(readers, key, cell, pointer, field.required, errors);
      if (value === undefined || sameStored(custom[key] ?? null, value)) continue;
      if (value === null) delete custom[key];
      else custom[key] = value;
      set("custom", key, Object.keys(custom).length === 0 ? null : { ...custom });
    }
  }

  function setStatus(): void {
    const date = after[IMAGE_INDEX.deactivation_date] as string | null;
    const over = date !== null && date <= context.today;
    if (patch.status === "active" && over) {
      // A date that has passed would take the person out again tomorrow.
      if (patch.deactivation_date === undefined) set("deactivation_date", "deactivation_date", null);
      else {errors.push({
          pointer: "/status",
          detail: `The status is "active" but the deactivation date "${date}" has passed`,
        });}
    }
    if (patch.status !== undefined) set("status", "status", patch.status);
    else if (over && "deactivation_date" in before) set("status", "status", "inactive");
  }

  function checkReleasable(name: string): void {
    const known = [...PLAIN, "department", "manager", "status", ...context.customFields.map((field) => field.key)];
    if (!known.includes(name)) errors.push({ pointer: "/release", detail: `There is no field "${name}" to release` });
  }

  function release(name: string): void {
    const field = name === "department" ? "department_name" : name;
    edited.delete(field);
    if (sources[field] === 0) delete sources[field];
  }
}

/** The value of one place of the patch; undefined when it is not there or cannot be used, which is then reported. */
function read(
  readers: ReadonlyMap<string, Reader>,
  field: string,
  cell: Cell,
  pointer: string,
  required: boolean,
  errors: FaultDetail[],
): Value | undefined {
  if (cell === undefined) return undefined;
  const value = readers.get(field)!(cell);
  if (typeof value === "object" && value !== null && isRefusal(value)) {
    errors.push({ pointer, detail: refusedIssue("error", field, cell, value).message });
    return undefined;
  }
  if (value === null && required) {
    errors.push({ pointer, detail: `Cannot leave ${field} empty: everybody here needs one` });
    return undefined;
  }
  return value;
}

function listOf(fields: ReadonlySet<string>): string[] | null {
  return fields.size === 0 ? null : [...fields].sort();
}
