/**
 * The inverse of an applied change: a create is deactivated and unlinked, other changes restore the old values. Pure.
 */
import { isActiveImage, type KnownUser, setStatus } from "./person.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "./image.ts";
import type { UserChange } from "./planned-change.ts";

export interface Inverse {
  readonly user: KnownUser;
  readonly action: "update" | "deactivate" | "reactivate";
  readonly before: Partial<Record<ImageColumn, Stored>>;
  readonly after: Image;
  /** Whether the user's link is removed: to the next input, the person is unknown. */
  readonly unlink: boolean;
  /** Whether an email or employee_id moves between users: such changes are written together. */
  readonly moves: boolean;
}

/** Null when there is nothing to revert. `user`: as the change left it. */
export function invert(change: UserChange, user: KnownUser): Inverse | null {
  const after = user.image.slice();
  if (change.before === null) setStatus(after, false);
  else {
    // Its writers as planned: a manager beside the page has changed them since.
    const writers = {
      field_sources: plannedOf(change, "field_sources"),
      edited_by_hand: plannedOf(change, "edited_by_hand"),
    };
    for (const [column, value] of Object.entries({ ...writers, ...change.before })) {
      after[IMAGE_INDEX[column as ImageColumn]] = value!;
    }
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

function plannedOf({ after }: UserChange, column: ImageColumn): Stored {
  return after[IMAGE_INDEX[column]]!;
}
