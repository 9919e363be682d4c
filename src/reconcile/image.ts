/** A user as stored: one value for each column, in a fixed order. No I/O. */

/** Columns of `users` that a change carries, in the order in which it stores them: those that are mostly empty last. */
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
