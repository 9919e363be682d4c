/**
 * Decides whether a record changes a user's status, and reports why not. Pure.
 *
 * A status set by hand has rules of its own. Active ends with the first record of an automated connection after it.
 * Inactive holds until the connection's own status changes.
 */
import { hasLeft } from "../judge-status.ts";
import { activeElsewhere, sourceConflict, statusKept } from "../issues/fields.ts";
import { protectedUser } from "../issues/people.ts";
import { IMAGE_INDEX } from "../image.ts";
import { BY_HAND, editedByHand, fieldSourcesOf, isActive, leavingDayOf, setStatus, sourceOf } from "../person.ts";
import { isOutranked, noteWithheld, noteWritten, type Revision } from "./revision.ts";

export function reviseStatus(revision: Revision): void {
  const { record, user, edited, context: { policy } } = revision;
  const was = isActive(user), wants = record.active ?? (was || isBack(revision));
  if (endsEdit(revision)) edited.delete("status");
  if (wants === was) return;
  revision.switchedOff = !(wants ? policy.reactivate : policy.deactivate);
  // A row whose status is withheld must be planned again.
  if (isStatusWithheld(revision, wants) || revision.switchedOff) revision.settled = false;
  else changeStatus(revision, wants);
}

/** Whether the record ends that the person was set active by hand: an automated connection has seen them since. */
export function endsEdit({ user, context, after }: Revision): boolean {
  return !context.byHand && isActive(user) && editedByHand(after).includes("status");
}

/** Whether a record without a status shows somebody again whom this connection had deactivated as missing. */
function isBack(revision: Revision): boolean {
  const { record, link, edited, context } = revision;
  if (!record.saysNothing || link === null || !link.active || link.missingSince === null) return false;
  return !edited.has("status") && ownerOf(revision) === context.connectionId;
}

/** The connection that set the status last; BY_HAND: nobody but a hand. */
function ownerOf({ user, sources }: Revision): number {
  return sources.status ?? sourceOf(user.image) ?? BY_HAND;
}

/** Whether a manual edit or another connection has priority on the status; reports it. */
function isStatusWithheld(revision: Revision, wants: boolean): boolean {
  const { record, user, elsewhere, context, issues } = revision;
  if (wants && isKeptByHand(revision)) issues.push(statusKept());
  else if (!wants && record.activeReason === "filtered" && elsewhere.active) {
    if (noteWithheld(revision, "status", "filtered")) issues.push(activeElsewhere());
  } else if (isOverruled(revision, wants)) {
    if (!wants && isDayOver(revision)) takeDayBack(revision);
    if (noteWithheld(revision, "status", String(wants))) {
      const [value, current] = wants ? ["active", "inactive"] : ["inactive", "active"];
      issues.push(sourceConflict("status", value, user.id, current));
    }
  } else if (!wants && context.policy.protected.has(user.id)) {
    issues.push(protectedUser("This person", "is_active", "the row says that they left"));
  } else return false;
  return true;
}

/** Whether somebody was set inactive by hand, and this connection's own status has not changed since. */
function isKeptByHand({ edited, link, elsewhere }: Revision): boolean {
  if (!edited.has("status") || elsewhere.isEdit) return false;
  // To return after an absence is a change.
  return link === null || (link.active && link.missingSince === null);
}

/** Whether another connection's word on the status counts more. */
function isOverruled(revision: Revision, wants: boolean): boolean {
  const { elsewhere, context } = revision;
  if (elsewhere.ruling !== null) return elsewhere.ruling !== wants;
  if (!wants) return false;
  if (elsewhere.isEdit) return saysNothingByHand(revision);
  return hasLeftElsewhere(revision) || (!context.byHand && !context.readsStatus() && isOfOther(revision));
}

/**
 * Whether a file by hand comes through a connection that has never read a status: that somebody is in it does not mean that
 * they are back, unless they were missing from its files.
 */
function saysNothingByHand({ link, context }: Revision): boolean {
  return !context.readsStatus() && (link === null || link.missingSince === null);
}

/** Whether the person's leaving day has come, by what they would have after the record. */
function isDayOver({ after, context }: Revision): boolean {
  const day = leavingDayOf(after);
  return day !== null && hasLeft(day, context.today, context.policy.leavers);
}

/** A day that has come and does not count would deactivate the person all the same, tomorrow. */
function takeDayBack({ user, after, sources, edited }: Revision): void {
  const field = "deactivation_date", owner = fieldSourcesOf(user.image)?.[field];
  after[IMAGE_INDEX[field]] = user.image[IMAGE_INDEX[field]]!;
  if (owner === undefined) delete sources[field];
  else sources[field] = owner;
  if (!editedByHand(user.image).includes(field)) edited.delete(field);
}

/** Whether the person has left on a day that a connection of precedence gave. */
function hasLeftElsewhere(revision: Revision): boolean {
  const { user, elsewhere, sources, context } = revision;
  const day = leavingDayOf(user.image);
  if (day === null || !hasLeft(day, context.today, context.policy.leavers)) return false;
  return isOutranked(sources.deactivation_date ?? sourceOf(user.image), elsewhere, context);
}

/** Whether another connection has set the status, by hand or not: one that never reads a status does not contradict it. */
function isOfOther(revision: Revision): boolean {
  const { context } = revision, owner = ownerOf(revision);
  if (owner === BY_HAND || owner === context.connectionId) return false;
  return context.ranks.peer(owner) !== undefined;
}

function changeStatus(revision: Revision, wants: boolean): void {
  const { record, after } = revision;
  revision.action = wants ? "reactivate" : "deactivate";
  revision.reason = wants || record.activeReason === "is_active" ? null : record.activeReason;
  setStatus(after, wants);
  noteWritten(revision, "status", wants);
  // A past date would deactivate the person again tomorrow.
  if (wants && isDayOver(revision)) after[IMAGE_INDEX.deactivation_date] = null;
}
