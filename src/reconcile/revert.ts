/** The inverse of an applied change: a create is deactivated and unlinked, other changes get their values back. Pure. */
import { isActiveImage, type KnownUser, setStatus } from "./person.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "./image.ts";
import type { UserChange } from "./planned-change.ts";

export interface Inverse {
  readonly user: KnownUser;
  readonly action: "update" | "deactivate" | "reactivate";
  readonly before: Partial<Record<ImageColumn, Stored>>;
  readonly after: Image;
  /** The user's link goes: the next input meets a stranger. */
  readonly unlink: boolean;
  /** An email or employee_id is taken, or given to another: written together with the others of its kind. */
  readonly moves: boolean;
}

/** Null when there is nothing to take back. `user`: as the change left it. */
export function invert(change: UserChange, user: KnownUser): Inverse | null {
  const after = user.image.slice();
  if (change.before === null) setStatus(after, false);
  else {
    for (const [column, value] of Object.entries(change.before)) after[IMAGE_INDEX[column as ImageColumn]] = value!;
  }
  const before: Partial<Record<ImageColumn, Stored>> = {};
  for (const [column, index] of Object.entries(IMAGE_INDEX)) {
    if (!sameStored(after[index], user.image[index])) before[column as ImageColumn] = user.image[index]!;
  }
  if (Object.keys(before).length === 0) return null;
  const isActive = isActiveImage(after);
  return {
    user,
    action: before.status === undefined ? "update" : isActive ? "reactivate" : "deactivate",
    before,
    after,
    unlink: change.before === null,
    moves: "email" in before || "employee_id" in before || ("status" in before && isActive),
  };
}
