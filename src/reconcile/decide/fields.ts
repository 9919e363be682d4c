/** Which fields of a user a record changes, and which of its values are withheld. Pure. */
import { type Issue, USER_FIELDS } from "../../model/record.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "../image.ts";
import { isDamaged } from "../damage.ts";
import { departmentInactive, fieldKept, sourceConflict, valueDamaged, withheldText } from "../issues/fields.ts";
import {
  customOf,
  departmentOf,
  editedByHand,
  fieldSourcesOf,
  type KnownUser,
  managerOf,
  setCustom,
  sourceOf,
} from "../person.ts";
import type { Elsewhere } from "../elsewhere.ts";
import type { Validated } from "../validated.ts";
import type { Value } from "../values/value.ts";
import { type DecideContext, isOutranked, noteWithheld, noteWritten, type Revision, type Writing } from "./revision.ts";

/** Managers are settled after all users, as they may be in a later row. */
const MANAGER_FIELDS = new Set(["manager_id", "manager_email", "manager_key"]);
/** Names, whose letters are known: a value that differs only in that letters were lost is not taken over. */
const NAMES: ReadonlySet<string> = new Set(["first_name", "last_name", "preferred_name"]);
/** Fields whose values are stored as they are, with their columns' places. */
const PLACES: ReadonlyMap<string, number> = new Map(
  USER_FIELDS.filter((field) => field in IMAGE_INDEX && !MANAGER_FIELDS.has(field) && field !== "source_id")
    .map((field) => [field, IMAGE_INDEX[field as ImageColumn]]),
);

/** Sets the fields of a new user; returns a warning for a department that cannot be used. */
export function fillFields(after: Image, record: Validated, context: DecideContext): Issue | null {
  let issue: Issue | null = null;
  for (const field in record.values) {
    const value = record.values[field];
    if (value === undefined || value === null) continue;
    const place = PLACES.get(field);
    if (place !== undefined) after[place] = storedOf(value);
    else if (field === "department_name") {
      const department = context.department(value as string);
      if (department.active) after[IMAGE_INDEX.department_id] = department.id;
      else issue = departmentInactive(value as string);
    } else if (context.customKeys.has(field)) {
      const custom = (after[IMAGE_INDEX.custom] ??= {}) as Record<string, unknown>;
      custom[field] = value;
    }
  }
  return issue;
}

/** Takes over every value that differs and is not withheld. Where updates are switched off, takes all of them back. */
export function reviseFields(revision: Revision): void {
  const { record, context, user, after } = revision;
  for (const field in record.values) {
    const value = record.values[field];
    if (value === undefined || MANAGER_FIELDS.has(field) || field === "source_id") continue;
    if (field === "department_name") reviseDepartment(revision, value as string | null);
    else if (context.customKeys.has(field)) reviseCustom(revision, field, value);
    else reviseColumn(revision, field as ImageColumn, value);
  }
  if (!revision.wrote || context.policy.update) return;
  for (let i = 0; i < after.length; i++) after[i] = user.image[i]!;
  revision.edited = new Set(editedByHand(user.image));
  revision.sources = { ...fieldSourcesOf(user.image) };
  revision.settled = false;
}

function reviseDepartment(revision: Revision, name: string | null): void {
  const { context, user, after } = revision;
  const current = departmentOf(user.image);
  const currentName = current === null ? null : context.departmentName(current);
  if (name !== null && currentName !== null && isDamaged(name, currentName)) {
    return leaveDamaged(revision, "department_name", name);
  }
  const department = name === null ? null : context.department(name);
  const id = department?.id ?? null;
  if (id === current) return;
  if (department !== null && !department.active) {
    revision.issues.push(departmentInactive(name!));
    revision.settled = false;
  } else if (!isWithheld(revision, "department_name", name, current)) {
    after[IMAGE_INDEX.department_id] = id;
    noteWritten(revision, "department_name", id);
  }
}

function reviseCustom(revision: Revision, field: string, value: Value): void {
  const { after } = revision;
  const custom = customOf(after);
  const current = (custom[field] ?? null) as Stored;
  if (sameStored(current, value) || isWithheld(revision, field, value, current)) return;
  const { [field]: _, ...rest } = custom;
  setCustom(after, value === null ? rest : { ...rest, [field]: value });
  noteWritten(revision, field, value);
}

function reviseColumn(revision: Revision, column: ImageColumn, value: Value): void {
  const { user, after, context } = revision;
  const index = IMAGE_INDEX[column];
  if (index === undefined) return;
  const stored = column === "on_leave" ? (value === true ? 1 : 0) : storedOf(value);
  const current = user.image[index]!;
  if (column === "phone" || column === "mobile_phone" ? samePhone(stored, current, context) : stored === current) {
    return;
  }
  if (NAMES.has(column) && typeof value === "string" && typeof current === "string" && isDamaged(value, current)) {
    return leaveDamaged(revision, column, value);
  }
  if (isWithheld(revision, column, value, current)) return;
  after[index] = stored;
  noteWritten(revision, column, stored);
}

function leaveDamaged(revision: Revision, field: string, value: string): void {
  revision.issues.push(valueDamaged(field, value));
  revision.settled = false;
}

/** Whether this connection may not write the field; reports it. */
function isWithheld(revision: Revision, field: string, value: unknown, current: Stored): boolean {
  const { user, context, edited, sources, issues, elsewhere } = revision;
  if (edited.has(field) && context.policy.manual_edits === "keep" && !elsewhere.isEdit) {
    issues.push(fieldKept(field, value));
    revision.settled = false;
    return true;
  }
  const owner = sources[field] ?? (current === null ? null : sourceOf(user.image));
  if (!isOutranked(owner, elsewhere, context)) return false;
  if (noteWithheld(revision, field, withheldText(value))) issues.push(sourceConflict(field, value, user.id, current));
  revision.settled = false;
  return true;
}

/** Why this connection may not write the user's manager, or null when it may. */
export function managerWithheld(
  { image }: KnownUser,
  elsewhere: Elsewhere,
  context: Writing,
): "kept" | "outranked" | null {
  const isKept = context.policy.manual_edits === "keep" && !elsewhere.isEdit;
  if (isKept && editedByHand(image).includes("manager")) return "kept";
  const owner = fieldSourcesOf(image)?.manager ?? (managerOf(image) === null ? null : sourceOf(image));
  return isOutranked(owner, elsewhere, context) ? "outranked" : null;
}

function samePhone(a: unknown, b: unknown, { phones }: DecideContext): boolean {
  if (a === b) return true;
  return typeof a === "string" && typeof b === "string" && phones.fold(a) === phones.fold(b);
}

function storedOf(value: unknown): Stored {
  return typeof value === "boolean" ? (value ? 1 : 0) : value as Stored;
}
