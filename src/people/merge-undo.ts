/** Undoing a merge: what was moved goes back, as far as it has not changed since. What has changed is named in words. */
import type { By } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { encodeId } from "../model/id.ts";
import { type Image, IMAGE_INDEX } from "../reconcile/image.ts";
import { type Columns, takeBack } from "../reconcile/merge-fields.ts";
import type { Database } from "../store/database.ts";
import { findMerge, listByIds, listFreeLinks, listOwnLinks, type Merge } from "../store/people/merges.ts";
import type { MovedLink } from "../store/people/schema-merges.ts";
import { imageOf } from "../store/people/user-edits.ts";
import { findUser, findUserIdsNamed, loadChain, type StoredUser, type User } from "../store/people/users.ts";
import { writeUndone } from "../store/people/write-merges.ts";
import { dataVersionOf } from "../store/runs/run-steps.ts";
import { columnOf, editOf, isWritten } from "./merge.ts";

/** What undoing a merge brings back, and what it could not. */
export interface Undone {
  readonly links: readonly MovedLink[];
  readonly reports: readonly number[];
  /** In words: what has changed since, or belongs to somebody else by now. */
  readonly left: readonly string[];
}

/** Takes the user's merge back. Fails with `not_found` if there is none to undo; null: somebody has changed, try again. */
export async function undoMerge(db: Database, { user }: StoredUser, now: number, by: By): Promise<Undone | null> {
  const { organizationId } = user, name = encodeId("usr", user.id);
  const dataVersion = await dataVersionOf(db, organizationId);
  const merge = await findMerge(db, user);
  if (merge === null || merge.undoUntil < now) {
    throw new Fault("not_found", `There is no merge of the user "${name}" that could be undone`);
  }
  const into = (await findUser(db, organizationId, merge.intoId))!.user;
  if (into.mergedInto !== null) {
    const detail = `The user "${encodeId("usr", into.id)}" was merged in turn; undo that merge first`;
    throw new Fault("conflict", detail);
  }
  const back = takeBack(imageOf(into), merge.moved);
  const { links, unlinked, lost: keys } = await linksBack(db, merge);
  const reports = (await listByIds(db, organizationId, merge.moved.reports)).filter((each) =>
    each.managerId === into.id
  );
  // Who returns below the person: the record that stays, too, if that was its manager.
  const below = [...reports, ...columnOf(back.after, "manager_id") === user.id ? [into] : []].map(({ id }) => id);
  const { image, lost: values } = await imageBack(db, merge, { into, freed: back.before, below });
  const written = await writeUndone(
    db,
    {
      dataVersion,
      user: {
        ...editOf(user, image),
        more: {
          sourceId: image[IMAGE_INDEX.source_id] as number | null,
          guardedLeaving: merge.moved.guardedLeaving,
          mergedInto: null,
        },
      },
      into: { user: into, after: back.after, before: back.before },
      reports,
      links,
      unlinked,
      merge,
    },
    now,
    by,
  );
  if (!isWritten(written)) return null;
  const others = merge.moved.reports.filter((id) => !reports.some((each) => each.id === id));
  return {
    links: [...links, ...unlinked],
    reports: reports.map(({ id }) => id),
    left: [
      ...values,
      ...keys,
      ...back.changedSince.map((field) => `${field} of ${encodeId("usr", into.id)} has changed since, and stays`),
      ...others.map((id) => `${encodeId("usr", id)} has another manager by now`),
    ],
  };
}

async function linksBack(db: Database, { moved, intoId }: Merge) {
  const now = await listOwnLinks(db, intoId);
  const isSame = (one: MovedLink) => (other: MovedLink) =>
    one.connectionId === other.connectionId && one.sourceKey === other.sourceKey;
  const links = moved.links.filter((link) => now.some(isSame(link)));
  const unlinked = await listFreeLinks(db, moved.unlinked);
  const gone = [...moved.links, ...moved.unlinked].filter((link) => ![...links, ...unlinked].some(isSame(link)));
  const lost = gone.map(({ connectionId }) =>
    `The key in the connection ${encodeId("con", connectionId)} is gone, or somebody else's by now`
  );
  return { links, unlinked, lost };
}

/** The former values, without those that somebody else has by now. */
async function imageBack(
  db: Database,
  { moved, organizationId }: Merge,
  { into, freed, below }: { into: User; freed: Columns; below: readonly number[] },
): Promise<{ image: Image; lost: string[] }> {
  const image = moved.image.slice(), lost: string[] = [];
  const value = (column: "email" | "employee_id") => columnOf(image, column) as string | null;
  const holders = await findUserIdsNamed(db, organizationId, {
    employeeId: value("employee_id"),
    email: value("email"),
  });
  const users = await listByIds(db, organizationId, holders.map(({ id }) => id));
  const isActive = image[IMAGE_INDEX.status] === "active";
  for (const column of ["employee_id", "email"] as const) {
    const taken = users.some((user) =>
      value(column) !== null && (column === "email" ? user.email : user.employeeId) === value(column) &&
      !(user.id === into.id && column in freed) && (column !== "email" || (isActive && user.status === "active"))
    );
    if (!taken) continue;
    image[IMAGE_INDEX[column]] = null;
    lost.push(`The ${column} belongs to somebody else by now, or has changed since`);
  }
  const managerId = image[IMAGE_INDEX.manager_id] as number | null;
  if (managerId !== null && !await mayManage(db, organizationId, managerId, below)) {
    image[IMAGE_INDEX.manager_id] = null;
    lost.push("The former manager cannot be set: they were merged, or are below this person by now");
  }
  return { image, lost };
}

/** Whether the manager is there, and neither one of those who return below the person nor below one of them. */
async function mayManage(
  db: Database,
  organizationId: number,
  managerId: number,
  below: readonly number[],
): Promise<boolean> {
  const manager = (await findUser(db, organizationId, managerId))?.user;
  if (manager === undefined || manager.mergedInto !== null) return false;
  return !(await loadChain(db, organizationId, managerId)).some(({ id }) => below.includes(id));
}
