/**
 * Compares a record with its user: what would change, and what is withheld. Pure.
 *
 * Managers are not decided here: they may be in a later row, so they are resolved after all users (managers/).
 */
import type { Issue } from "../../model/record.ts";
import { IMAGE, type Image, IMAGE_INDEX, type ImageColumn, sameStored, type Stored } from "../image.ts";
import {
  customOf,
  isActive,
  type KnownLink,
  type KnownUser,
  leavingDayOf,
  setStatus,
  setWriters,
  withWriters,
} from "../person.ts";
import type { Elsewhere } from "../elsewhere.ts";
import type { Validated } from "../validated.ts";
import { fillFields, reviseFields } from "./fields.ts";
import { type DecideContext, type Decision, type Revision, startRevision } from "./revision.ts";
import { endsEdit, reviseStatus } from "./status.ts";

const NO_ISSUES: readonly Issue[] = [];
/** A user without any values. */
const EMPTY: Image = IMAGE.map(() => null);

/** Decides on the record of a new person. */
export function decideCreate(record: Validated, context: DecideContext): Decision {
  const after = EMPTY.slice();
  after[IMAGE_INDEX.on_leave] = 0;
  after[IMAGE_INDEX.source_id] = context.connectionId;
  setStatus(after, true);
  const issue = fillFields(after, record, context);
  return {
    action: "create",
    reason: null,
    after,
    before: null,
    issues: issue === null ? NO_ISSUES : [issue],
    settled: issue === null && !record.deactivationFuture,
    identity: false,
    overwrites: false,
    advancesDeactivation: false,
    withheld: null,
    endsEdit: false,
  };
}

/** Decides on a record of a known user. */
export function decideUpdate(
  record: Validated,
  user: KnownUser,
  link: KnownLink | null,
  elsewhere: Elsewhere,
  context: DecideContext,
): Decision {
  const revision = startRevision(record, user, link, elsewhere, context);
  reviseFields(revision);
  reviseStatus(revision);
  return outcomeOf(revision);
}

/** The outcome of a revision: the action, and the old values of changed columns. */
function outcomeOf(revision: Revision): Decision {
  const { user, after, issues, withheld, context } = revision;
  const before = changedColumns(user.image, after);
  if (before !== null && (!revision.wrote || context.policy.update || revision.action !== null)) {
    setWriters(after, revision.sources, [...revision.edited].sort());
  }
  const action = revision.action ?? (before !== null ? "update" : isSwitchedOff(revision) ? "skipped" : "unchanged");
  return {
    action,
    reason: revision.reason,
    after,
    before: before === null ? null : withWriters(before, user.image, after),
    issues: issues.length === 0 ? NO_ISSUES : issues,
    settled: revision.settled && issues.length === 0,
    identity: before !== null && changesIdentity(before),
    overwrites: before !== null && overwrites(before, after),
    advancesDeactivation: isActive(user) && action !== "deactivate" && isEarlier(user.image, after),
    withheld: Object.keys(withheld).length === 0 ? null : withheld,
    endsEdit: before === null && endsEdit(revision),
  };
}

/** Whether the policy switches off what the record would change. */
function isSwitchedOff({ wrote, context, switchedOff }: Revision): boolean {
  return (wrote && !context.policy.update) || switchedOff;
}

/** Columns that differ, with their old values; null when none does. Another writer of a field is not a change. */
function changedColumns(image: Image, after: Image): Partial<Record<ImageColumn, Stored>> | null {
  const before: Partial<Record<ImageColumn, Stored>> = {};
  let changed = false;
  for (const column of IMAGE) {
    if (column === "field_sources" || column === "edited_by_hand") continue;
    const index = IMAGE_INDEX[column];
    if (sameStored(after[index], image[index])) continue;
    before[column] = image[index]!;
    changed = true;
  }
  return changed ? before : null;
}

/** Filling what was empty does not change the identity, and one name alone may change with a marriage. */
function changesIdentity(before: Partial<Record<ImageColumn, Stored>>): boolean {
  const changes = (column: ImageColumn) => (before[column] ?? null) !== null;
  return changes("email") || changes("employee_id") || (changes("first_name") && changes("last_name"));
}

/** Whether any of the old values, or of those in fields of the organization's own, was there to lose. */
function overwrites(before: Partial<Record<ImageColumn, Stored>>, after: Image): boolean {
  return Object.entries(before).some(([column, value]) => {
    if (column !== "custom" || value === null) return value !== null;
    const now = customOf(after);
    return Object.entries(value as Record<string, unknown>).some(([key, old]) => !sameStored(old, now[key]));
  });
}

/** Whether the user leaves earlier than before, or at all. */
function isEarlier(image: Image, after: Image): boolean {
  const now = leavingDayOf(after), was = leavingDayOf(image);
  return now !== null && (was === null || now < was);
}
