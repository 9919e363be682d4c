/** A change of a user that is not caused by a row. */
import { type ChangeAction } from "../../model/change.ts";
import type { KnownUser } from "../../reconcile/person.ts";
import { encodeChange } from "../../reconcile/columns/entry.ts";
import { IMAGE_INDEX } from "../../reconcile/image.ts";

export function changeOf(
  user: KnownUser,
  action: Exclude<ChangeAction, "create">,
  reason: string,
  before: Record<string, unknown>,
  after: KnownUser["image"],
) {
  return encodeChange({
    action,
    line: null,
    userId: user.id,
    version: user.version,
    reason,
    before: before as never,
    previousPage: user.lastPage,
    key: null,
    digest: null,
    canonical: null,
    active: after[IMAGE_INDEX.status] === "active",
    after,
  });
}
