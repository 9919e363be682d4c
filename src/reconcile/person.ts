/**
 * A user's columns by name, with their types. Plain functions over the stored columns: a view for each of a million
 * people would be a million objects. Pure.
 */
import type { Piece } from "../model/record.ts";
import { STRANGER } from "../model/wording.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "./image.ts";
import type { PersonName } from "./names.ts";

/** A user as the planner sees it. */
export interface KnownUser {
  readonly id: number;
  readonly version: number;
  /** The page with the latest change, to be named by the next change. */
  readonly lastPage: number | null;
  readonly image: Image;
}

/** A connection's link to a user, with facts of its last record. */
export interface KnownLink {
  readonly key: string;
  readonly userId: number;
  readonly active: boolean;
  /** Inactive only because a filter leaves the row out. */
  readonly filtered: boolean;
  /** Whether only files by hand have had the row so far. */
  readonly byHand: boolean;
  readonly missingSince: number | null;
  readonly missingFrom: number | null;
  /** The run of the last part of a full input that did not have the user, as no part before it had; null: none. */
  readonly absentFrom: number | null;
  /** Field → value that was withheld and reported as source_conflict. */
  readonly withheld: Readonly<Record<string, string>> | null;
}

export function employeeIdOf(image: Image): string | null {
  return image[IMAGE_INDEX.employee_id] as string | null;
}

export function emailOf(image: Image): string | null {
  return image[IMAGE_INDEX.email] as string | null;
}

export function departmentOf(image: Image): number | null {
  return image[IMAGE_INDEX.department_id] as number | null;
}

export function managerOf(image: Image): number | null {
  return image[IMAGE_INDEX.manager_id] as number | null;
}

/** Day on which the person leaves, YYYY-MM-DD. */
export function leavingDayOf(image: Image): string | null {
  return image[IMAGE_INDEX.deactivation_date] as string | null;
}

export function isActiveImage(image: Image): boolean {
  return image[IMAGE_INDEX.status] === "active";
}

export function setStatus(image: Image, active: boolean): void {
  image[IMAGE_INDEX.status] = active ? "active" : "inactive";
}

/** In place of a connection: somebody edited the field by hand. */
export const BY_HAND = 0;

/** The connection that made the user; 0 or null: none. */
export function sourceOf(image: Image): number | null {
  return image[IMAGE_INDEX.source_id] as number | null;
}

/** Fields last written by a connection other than the user's own, with that connection. */
export function fieldSourcesOf(image: Image): Readonly<Record<string, number>> | null {
  return image[IMAGE_INDEX.field_sources] as Record<string, number> | null;
}

const NO_FIELDS: readonly string[] = [];

/** Fields that were last edited by hand. */
export function editedByHand(image: Image): readonly string[] {
  return (image[IMAGE_INDEX.edited_by_hand] as readonly string[] | null) ?? NO_FIELDS;
}

/** The organization's own fields. */
export function customOf(image: Image): Readonly<Record<string, unknown>> {
  return (image[IMAGE_INDEX.custom] as Record<string, unknown> | null) ?? {};
}

export function setCustom(image: Image, custom: Record<string, unknown>): void {
  image[IMAGE_INDEX.custom] = Object.keys(custom).length === 0 ? null : custom;
}

/** Sets the last writers of fields: other connections, and manual edits. Stores null when there are none. */
export function setWriters(image: Image, sources: Record<string, number>, edited: readonly string[]): void {
  image[IMAGE_INDEX.field_sources] = (Object.keys(sources).length === 0 ? null : sources) as Stored;
  image[IMAGE_INDEX.edited_by_hand] = edited.length === 0 ? null : edited;
}

type Columns = Partial<Record<ImageColumn, Stored>>;

/** A change's old values, with who wrote its fields last where it alters that: a run that takes it back restores both. */
export function withWriters(before: Columns, image: Image, after: Image): Columns {
  for (const column of WRITERS) {
    const index = IMAGE_INDEX[column];
    if (!sameStored(image[index], after[index])) before = { ...before, [column]: image[index]! };
  }
  return before;
}

const WRITERS = ["field_sources", "edited_by_hand"] as const;

export function isActive(user: KnownUser): boolean {
  return isActiveImage(user.image);
}

/** The name of a person in a message: a value that a reader of the file can look up. */
export function describeUser({ image }: KnownUser): string {
  const employeeId = employeeIdOf(image), email = emailOf(image);
  const name = [image[IMAGE_INDEX.first_name], image[IMAGE_INDEX.last_name]].filter((part) => part !== null).join(" ");
  const ids = [employeeId === null ? null : `employee_id "${employeeId}"`, email === null ? null : `email "${email}"`]
    .filter((id) => id !== null).join(", ");
  return ids === "" ? name : name === "" ? ids : `${name} (${ids})`;
}

/** The same as a piece of a message, for readers who may know the person and for those who may not. */
export function describePerson(user: KnownUser, otherwise = STRANGER): Piece {
  return { user: user.id, is: describeUser(user), otherwise };
}

/** The full name of a user. */
export function nameOf(image: Image): PersonName {
  return { first: textOf(image[IMAGE_INDEX.first_name]), last: textOf(image[IMAGE_INDEX.last_name]) };
}

/** A non-empty text, or null. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
