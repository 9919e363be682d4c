/** Changes of users and departments, in plans and in the history. Pure. */
import type { ChangeAction } from "../model/change.ts";
import type { Image, ImageColumn, Stored } from "./image.ts";

/** One planned or applied change of a user. */
export interface UserChange {
  readonly action: ChangeAction;
  readonly line: number | null;
  readonly userId: number;
  /** The user's version that it was planned against; 0 for a create. */
  readonly version: number;
  /** The reason when it is not the row itself: `missing`, `filtered`, `due`, `revert`, `hand`. */
  readonly reason: string | null;
  /** Changed columns with their values before; null for a create. */
  readonly before: Partial<Record<ImageColumn, Stored>> | null;
  /** The page with the user's change before this one. */
  readonly previousPage: number | null;
  /** The source key for the link; null leaves links alone. */
  readonly key: string | null;
  /** Digests of the row for the link; null when the row must be planned each time. */
  readonly digest: string | null;
  readonly canonical: string | null;
  /** Whether the record was active; stored with the link. */
  readonly active: boolean;
  /** Whether it was not only because a filter leaves it out. */
  readonly filtered?: boolean;
  readonly after: Image;
}

/** One planned or applied change of a department. */
export interface DepartmentChange {
  readonly action: ChangeAction;
  readonly line: number | null;
  readonly departmentId: number;
  readonly version: number;
  readonly reason: string | null;
  readonly before: Partial<DepartmentImage> | null;
  readonly previousPage: number | null;
  readonly after: DepartmentImage;
}

/** Whether the change only marks a department for closing, or takes the mark back: the department is as it was. */
export function isMarkOnly({ before }: DepartmentChange): boolean {
  return before !== null && Object.keys(before).every((field) => field === "closing");
}

export interface DepartmentImage {
  readonly name: string;
  readonly folded: string;
  readonly parent_id: number | null;
  readonly external_id: string | null;
  /** 0 or 1, as stored. */
  readonly active: number;
  readonly closing: number;
}
