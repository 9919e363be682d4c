/** Decides whether a record changes a user's status, and reports why not. Pure. */
import { hasLeft } from "../judge-status.ts";
import { activeElsewhere, sourceConflict, statusKept } from "../issues/fields.ts";
import { protectedUser } from "../issues/people.ts";
import { IMAGE_INDEX } from "../image.ts";
import { isActive, leavingDayOf, setStatus, sourceOf } from "../person.ts";
import { isOutranked, noteWithheld, noteWritten, type Revision } from "./revision.ts";

/** `otherActive`: another connection's last record says that this person is active. */
export function reviseStatus(revision: Revision, otherActive: boolean): void {
  const { record, user, context: { policy } } = revision;
  const was = isActive(user), wants = record.active ?? (was || isBack(revision));
  if (wants === was) return;
  revision.switchedOff = !(wants ? policy.reactivate : policy.deactivate);
  // A row whose status is withheld must be planned again.
  if (isStatusWithheld(revision, wants, otherActive) || revision.switchedOff) revision.settled = false;
  else changeStatus(revision, wants);
}

/** Whether a record without a status shows somebody again whom this connection had deactivated as missing. */
function isBack({ record, user, link, sources, edited, context }: Revision): boolean {
  if (!record.saysNothing || link === null || !link.active || link.missingSince === null) return false;
  return !edited.has("status") && (sources.status ?? sourceOf(user.image)) === context.connectionId;
}

/** Whether a manual edit or another connection has priority on the status; reports it. */
function isStatusWithheld(revision: Revision, wants: boolean, otherActive: boolean): boolean {
  const { record, user, link, context, issues } = revision;
  const owner = revision.sources.status ?? sourceOf(user.image);
  // A status set by hand holds until the source's own status changes.
  if (revision.edited.has("status") && (link === null || link.active === wants)) issues.push(statusKept(wants));
  else if (isOutranked(owner, context)) {
    if (noteWithheld(revision, "status", String(wants))) {
      const [value, current] = wants ? ["active", "inactive"] : ["inactive", "active"];
      issues.push(sourceConflict("status", value, user.id, current));
    }
  } else if (!wants && record.activeReason === "filtered" && otherActive) {
    if (noteWithheld(revision, "status", "filtered")) issues.push(activeElsewhere());
  } else if (!wants && context.policy.protected.has(user.id)) {
    issues.push(protectedUser("This person", "is_active", "the row says that they left"));
  } else return false;
  return true;
}

function changeStatus(revision: Revision, wants: boolean): void {
  const { record, after, context } = revision;
  revision.action = wants ? "reactivate" : "deactivate";
  revision.reason = wants || record.activeReason === "is_active" ? null : record.activeReason;
  setStatus(after, wants);
  noteWritten(revision, "status");
  // A past date would deactivate the person again tomorrow.
  const day = leavingDayOf(after);
  if (wants && day !== null && hasLeft(day, context.today, context.policy.leavers)) {
    after[IMAGE_INDEX.deactivation_date] = null;
  }
}
