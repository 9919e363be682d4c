/** A user as stored: one value for each column, in a fixed order. No I/O. */

/** Columns of `users` in a change, in the order in which it stores them: mostly empty ones last. */
export const IMAGE = [
  "employee_id",
  "email",
  "first_name",
  "last_name",
  "title",
  "department_id",
  "manager_id",
  "location",
  "phone",
  "hire_date",
  "employment_status",
  "on_leave",
  "status",
  "source_id",
  "preferred_name",
  "mobile_phone",
  "username",
  "deactivation_date",
  "timezone",
  "language",
  "custom",
  "field_sources",
  "edited_by_hand",
] as const;
export type ImageColumn = (typeof IMAGE)[number];

/** A stored value: text, number, 0 or 1, a JSON object or array, or null. */
export type Stored = string | number | null | Record<string, unknown> | readonly string[];

/** A user's columns as stored, in the order of IMAGE. */
export type Image = Stored[];

export const IMAGE_INDEX = Object.fromEntries(IMAGE.map((column, index) => [column, index])) as Record<
  ImageColumn,
  number
>;

/** Whether two stored values are equal; the order of an object's keys does not matter. */
export function sameStored(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => sameStored(item, b[i]));
  }
  const left = a as Record<string, unknown>, right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length &&
    keys.every((key) => key in right && sameStored(left[key], right[key]));
}
