/**
 * An edit by hand: a user and a patch go in, the changed user comes out, or every error of the patch.
 *
 * Values are read as the values of records are, so that an edit accepts what a file does. No I/O. No clock.
 */
import { z } from "zod";
import { Fault, type FaultDetail } from "../../model/errors.ts";
import type { Cell, CustomField } from "../../model/record.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "../../reconcile/image.ts";
import { createPhones } from "../../reconcile/phones.ts";
import { createUserReaders } from "../../reconcile/values/fields.ts";
import { refusedIssue } from "../../reconcile/values/issue.ts";
import { isRefusal, type Reader, type Value, withoutDoubt } from "../../reconcile/values/value.ts";
import type { UserEdit } from "../../store/people/user-edits.ts";
import { pointerOf } from "../../std/json-pointer.ts";

/** Fields of a user that have a value of their own, in a column of the same name. */
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
  /** Fields whose edits sources may overwrite again. */
  release: z.array(z.string()).optional(),
});
export type UserPatch = z.infer<typeof USER_PATCH>;

export interface PatchContext {
  readonly customFields: readonly CustomField[];
  /** Fields that every user of the organization must have. */
  readonly requiredFields: readonly string[];
  /** YYYY-MM-DD in the organization's time zone. */
  readonly today: string;
  /** The ids of the patch's `department` and `manager`; undefined: not in the patch. */
  readonly departmentId: number | null | undefined;
  readonly managerId: number | null | undefined;
}

/** An edit on its way: the stored user, what becomes of it, and what is wrong with the patch. */
interface Draft {
  readonly image: Image;
  readonly after: Image;
  readonly before: Partial<Record<ImageColumn, Stored>>;
  /** Fields that were edited by hand, now or earlier, by the names that sources use. */
  readonly edited: Set<string>;
  /** The connection that wrote each field last; 0: a person. */
  readonly sources: Record<string, number>;
  readonly errors: FaultDetail[];
}

/** Applies the patch to the user; null when it changes nothing. Fails with `unprocessable`, listing every error. */
export function editUser(image: Image, patch: UserPatch, context: PatchContext): UserEdit | null {
  const draft: Draft = {
    image,
    after: image.slice(),
    before: {},
    edited: editedOf(image),
    sources: { ...image[IMAGE_INDEX.field_sources] as Record<string, number> | null },
    errors: [],
  };
  const { customFields } = context;
  const rules = { key: null, dateFormat: "YYYY-MM-DD", activeWords: {}, phones: createPhones(null) } as const;
  const readers = createUserReaders({ ...rules, customFields });
  for (const field of PLAIN) {
    const value = read(draft, readers, field, patch[field], `/${field}`, context.requiredFields.includes(field));
    if (value === undefined) continue;
    set(draft, field, field, field === "on_leave" ? (value === true ? 1 : 0) : value as Stored);
  }
  if (context.departmentId !== undefined) set(draft, "department_id", "department_name", context.departmentId);
  if (context.managerId !== undefined) set(draft, "manager_id", "manager", context.managerId);
  setCustom(draft, patch, context, readers);
  setStatus(draft, patch, context.today);
  release(draft, patch, context);
  const { errors } = draft;
  if (errors.length > 0) throw new Fault("unprocessable", errors[0]!.detail, { errors });
  return editOf(draft);
}

/** Sets a column. `field` is the name that sources use for it. */
function set(
  { image, before, after, edited, sources }: Draft,
  column: ImageColumn,
  field: string,
  value: Stored,
): void {
  const current = image[IMAGE_INDEX[column]]!;
  if (column !== "custom" && sameStored(current, value)) return;
  before[column] = current;
  after[IMAGE_INDEX[column]] = value;
  edited.add(field);
  sources[field] = 0;
}

function setCustom(draft: Draft, patch: UserPatch, context: PatchContext, readers: ReadonlyMap<string, Reader>): void {
  const custom = { ...draft.image[IMAGE_INDEX.custom] as Record<string, unknown> | null };
  for (const [key, cell] of Object.entries(patch.custom ?? {})) {
    const field = context.customFields.find((each) => each.key === key);
    const pointer = pointerOf(["custom", key]);
    if (field === undefined) {
      draft.errors.push({ pointer, detail: `There is no custom field "${key}"` });
      continue;
    }
    const value = read(draft, readers, key, cell, pointer, field.required);
    if (value === undefined || sameStored(custom[key] ?? null, value)) continue;
    if (value === null) delete custom[key];
    else custom[key] = value;
    set(draft, "custom", key, Object.keys(custom).length === 0 ? null : { ...custom });
  }
}

function setStatus(draft: Draft, patch: UserPatch, today: string): void {
  const date = draft.after[IMAGE_INDEX.deactivation_date] as string | null;
  const isOver = date !== null && date <= today;
  if (patch.status === "active" && isOver) {
    // With a date that has passed, the user would be deactivated again the next day.
    if (patch.deactivation_date === undefined) set(draft, "deactivation_date", "deactivation_date", null);
    else {
      const detail = `The status is "active" but the deactivation date "${date}" has passed`;
      draft.errors.push({ pointer: "/status", detail });
    }
  }
  if (patch.status !== undefined) set(draft, "status", "status", patch.status);
  else if (isOver && "deactivation_date" in draft.before) set(draft, "status", "status", "inactive");
}

/** What a hand wrote stays written by a hand: no source has given it, so none takes precedence for it. */
function release({ edited, errors }: Draft, patch: UserPatch, { customFields }: PatchContext): void {
  const known = [...PLAIN, "department", "manager", "status", ...customFields.map(({ key }) => key)];
  for (const name of patch.release ?? []) {
    if (!known.includes(name)) errors.push({ pointer: "/release", detail: `There is no field "${name}" to release` });
    edited.delete(name === "department" ? "department_name" : name);
  }
}

function editOf({ image, before, after, edited, sources }: Draft): UserEdit | null {
  const isSame = sameStored(listOf(edited), listOf(editedOf(image)));
  if (Object.keys(before).length === 0 && isSame) return null;
  after[IMAGE_INDEX.edited_by_hand] = listOf(edited);
  after[IMAGE_INDEX.field_sources] = Object.keys(sources).length === 0 ? null : sources;
  const isActive = after[IMAGE_INDEX.status] === "active";
  return { action: before.status === undefined ? "update" : isActive ? "reactivate" : "deactivate", after, before };
}

/** The value that the patch has at a place; undefined when it has none there, or one that cannot be used. */
function read(
  { errors }: Draft,
  readers: ReadonlyMap<string, Reader>,
  field: string,
  cell: Cell,
  pointer: string,
  required: boolean,
): Value | undefined {
  if (cell === undefined) return undefined;
  const value = withoutDoubt(readers.get(field)!(cell));
  if (typeof value === "object" && value !== null && isRefusal(value)) {
    errors.push({ pointer, detail: refusedIssue("error", field, cell, value).message });
    return undefined;
  }
  if (value !== null || !required) return value;
  errors.push({ pointer, detail: `Cannot leave ${field} empty: everybody here needs one` });
  return undefined;
}

function editedOf(image: Image): Set<string> {
  return new Set(image[IMAGE_INDEX.edited_by_hand] as string[] | null);
}

function listOf(fields: ReadonlySet<string>): string[] | null {
  return fields.size === 0 ? null : [...fields].sort();
}
