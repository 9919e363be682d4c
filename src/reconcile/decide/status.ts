/** Whether a record changes a user's status, and why not where it would. Pure. */
import { activeElsewhere, sourceConflict, statusKept } from "../issues/fields.ts";
import { protectedUser } from "../issues/people.ts";
import { IMAGE_INDEX } from "../image.ts";
import { isActive, leavingDayOf, setStatus, sourceOf } from "../person.ts";
import { isOutranked, noteWithheld, noteWritten, type Revision } from "./revision.ts";

/** `otherActive`: another connection's last record says that this person is active. */
export function reviseStatus(revision: Revision, otherActive: boolean): void {
  const { record, user, context: { policy } } = revision;
  const was = isActive(user), wants = record.active ?? was;
  if (wants === was) return;
  revision.switchedOff = !(wants ? policy.reactivate : policy.deactivate);
  // A status that is withheld must be looked at again.
  if (isStatusWithheld(revision, wants, otherActive) || revision.switchedOff) revision.settled = false;
  else changeStatus(revision, wants);
}

/** Whether somebody else's word on the status counts more; reports it. */
function isStatusWithheld(revision: Revision, wants: boolean, otherActive: boolean): boolean {
  const { record, user, link, context, issues } = revision;
  const owner = revision.sources.status ?? sourceOf(user.image);
  // Set by hand: that holds until the source's own status changes.
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
  // A date that has passed would take the person out again tomorrow.
  const day = leavingDayOf(after);
  if (wants && day !== null && day <= context.today) after[IMAGE_INDEX.deactivation_date] = null;
}
