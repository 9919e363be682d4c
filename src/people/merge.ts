/**
 * Two records of one person become one: what would move, what is lost, what is in the way; and the merge
 * itself. The record that goes stays as a shell without values that leads to the other.
 */
import type { By } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { encodeId } from "../model/id.ts";
import { contradictionOf } from "../reconcile/contradiction.ts";
import { IMAGE, type Image, IMAGE_INDEX } from "../reconcile/image.ts";
import { type Columns, combine, type Combined } from "../reconcile/merge-fields.ts";
import { DAY_MS } from "../std/time.ts";
import { listConnections } from "../store/connections/connections.ts";
import type { Database } from "../store/database.ts";
import { findErasure } from "../store/people/erasures.ts";
import { listAcceptances, listOwnLinks, listReports } from "../store/people/merges.ts";
import { leftSince } from "../store/people/person-record.ts";
import type { MovedLink } from "../store/people/schema-merges.ts";
import { blankImage } from "../store/people/erased-pages.ts";
import { imageOf } from "../store/people/user-edits.ts";
import { findUser, loadChain, type StoredUser, type User } from "../store/people/users.ts";
import { type Edited, writeMerge, type Written } from "../store/people/write-merges.ts";
import { dataVersionOf } from "../store/runs/run-steps.ts";

/** How long a merge can be undone. */
const UNDONE_WITHIN_MS = 30 * DAY_MS;
const ALL = { after: 0, limit: 10_000 };

export interface MergePlan {
  readonly dataVersion: number;
  readonly user: User;
  readonly into: User;
  readonly combined: Combined;
  readonly links: readonly MovedLink[];
  readonly unlinked: readonly MovedLink[];
  readonly reports: readonly User[];
  /** Fields by which they look like two people; empty: by none. */
  readonly contradicts: readonly string[];
  /** Why it cannot be done as things are, with what to do. */
  readonly obstacles: readonly string[];
}

export interface MergeWish {
  readonly intoId: number;
  /** Connections whose link of the user is given up. */
  readonly unlink: readonly number[];
  /** Whether keys may be quoted to who asks. */
  readonly quotesKeys: boolean;
}

/** Plans the merge. Fails with `unprocessable` or `conflict` where the two cannot be merged whatever is done. */
export async function planMerge(db: Database, { user }: StoredUser, wish: MergeWish): Promise<MergePlan> {
  const { organizationId } = user;
  const dataVersion = await dataVersionOf(db, organizationId);
  const into = await requireInto(db, user, wish.intoId);
  const own = await listOwnLinks(db, user.id), theirs = await listOwnLinks(db, into.id);
  const twins = own.filter((link) => theirs.some(({ connectionId }) => connectionId === link.connectionId));
  const unlinked = twins.filter(({ connectionId }) => wish.unlink.includes(connectionId));
  const reports = (await listReports(db, user)).filter(({ id }) => id !== into.id);
  const above = into.managerId === null ? [] : await loadChain(db, organizationId, into.managerId);
  const combined = combine(withoutManager(into, user.id), imageOf(user), await managerFor(db, user, into));
  return {
    dataVersion,
    user,
    into,
    combined: { ...combined, before: withManager(combined, into) },
    links: own.filter((link) => !twins.includes(link)),
    unlinked,
    reports,
    contradicts: contradictionsOf(user, into),
    obstacles: [
      ...await obstaclesOfLinks(db, { user, into }, wish, twins.filter((link) => !unlinked.includes(link)), theirs),
      ...obstacleOfCircle(user, into, above.map(({ id }) => id)),
      ...await obstaclesOfProtection(db, user, into),
    ],
  };
}

async function requireInto(db: Database, user: User, intoId: number): Promise<User> {
  const name = encodeId("usr", intoId);
  const wrong = (detail: string) => new Fault("unprocessable", detail, { errors: [{ pointer: "/into", detail }] });
  if (intoId === user.id) throw wrong("A user cannot be merged into itself; name the other record");
  const into = (await findUser(db, user.organizationId, intoId))?.user;
  if (into === undefined) throw wrong(`There is no user "${name}"`);
  if (into.mergedInto !== null) {
    throw wrong(`The user "${name}" was itself merged into "${encodeId("usr", into.mergedInto)}"; name that one`);
  }
  for (const { id } of [user, into]) {
    if (await findErasure(db, user.organizationId, id) === null) continue;
    throw new Fault("conflict", `The user "${encodeId("usr", id)}" was erased, so there is nothing to merge`);
  }
  return into;
}

/** Of a user whose manager is the other record, nobody is the manager. */
function withoutManager(into: User, userId: number): Image {
  const image = imageOf(into);
  if (image[IMAGE_INDEX.manager_id] === userId) image[IMAGE_INDEX.manager_id] = null;
  return image;
}

/** The columns that change, also where the manager was the other record and nobody takes its place. */
function withManager({ before, after }: Combined, into: User): Columns {
  return after[IMAGE_INDEX.manager_id] === into.managerId ? before : { ...before, manager_id: into.managerId };
}

/** The manager of the record that goes, unless the one that stays is that manager or above them. */
async function managerFor(db: Database, { managerId, organizationId }: User, into: User): Promise<number | null> {
  if (managerId === null) return null;
  const above = await loadChain(db, organizationId, managerId);
  return above.some(({ id }) => id === into.id) ? null : managerId;
}

function contradictionsOf(user: User, into: User): readonly string[] {
  const { email, firstName, lastName, hireDate, employeeId } = user;
  const values = {
    email,
    first_name: firstName,
    last_name: lastName,
    hire_date: hireDate,
    employee_id: employeeId,
  };
  const known = { id: into.id, version: into.version, lastPage: into.lastPage, image: imageOf(into) };
  return contradictionOf(values, known, { field: "source_id", link: null }, false) ?? [];
}

async function obstaclesOfLinks(
  db: Database,
  { user, into }: Pick<MergePlan, "user" | "into">,
  { quotesKeys }: MergeWish,
  twins: readonly MovedLink[],
  theirs: readonly MovedLink[],
): Promise<string[]> {
  const all = await listConnections(db, user.organizationId, ALL);
  const quote = (key: string, whose: User) => quotesKeys ? `"${key}"` : `of ${encodeId("usr", whose.id)}`;
  return twins.map(({ connectionId, sourceKey }) => {
    const other = theirs.find((link) => link.connectionId === connectionId)!.sourceKey;
    const id = encodeId("con", connectionId), name = all.find((each) => each.id === connectionId)?.name ?? id;
    return `The connection "${name}" has a row for each of the two. Correct its source so that the row ` +
      `${quote(other, into)} alone is left, and send "unlink": ["${id}"], which gives up the key ` +
      `${quote(sourceKey, user)}; if a row with it comes again, it is somebody new`;
  });
}

/** People between the two would be below and above the same record. */
function obstacleOfCircle(user: User, into: User, above: readonly number[]): string[] {
  const place = above.indexOf(user.id);
  if (place < 1) return [];
  const path = [into.id, ...above.slice(0, place + 1)].map((id) => encodeId("usr", id)).join(" → ");
  return [
    `The managers would form a circle (${path}); give ${encodeId("usr", above[place - 1]!)} another manager first`,
  ];
}

async function obstaclesOfProtection(db: Database, user: User, into: User): Promise<string[]> {
  const all = await listConnections(db, user.organizationId, ALL);
  const from = encodeId("usr", user.id), to = encodeId("usr", into.id);
  return all.filter(({ policy }) => {
    const ids: readonly string[] = policy.protected ?? [];
    return ids.includes(from) && !ids.includes(to);
  }).map(({ name }) =>
    `The connection "${name}" protects ${from} and not ${to}: protect ${to} there, or nobody of them`
  );
}

/** The merge that was planned, which has no obstacles. Fails with `conflict` while a run is at work; false: plan again. */
export async function applyMerge(db: Database, plan: MergePlan, now: number, by: By): Promise<boolean> {
  const { user, into, combined, links, unlinked, reports, dataVersion } = plan;
  const image = imageOf(user);
  const { before, after } = combined;
  return isWritten(
    await writeMerge(
      db,
      {
        dataVersion,
        user: { ...emptied(user), more: { sourceId: null, guardedLeaving: null, mergedInto: into.id } },
        into: { user: into, after, before },
        reports,
        moved: {
          image,
          guardedLeaving: user.guardedLeaving,
          leftSince: await leftSince(db, user),
          before: { ...before, ...writersOf(imageOf(into)) },
          after: Object.fromEntries(Object.keys(before).map((column) => [column, columnOf(after, column)])),
          links,
          unlinked,
          reports: reports.map(({ id }) => id),
          decisions: await listAcceptances(db, user.id),
        },
        undoUntil: now + UNDONE_WITHIN_MS,
      },
      now,
      by,
    ),
  );
}

/** Fails with `conflict` while a run is at work. */
export function isWritten(written: Written): boolean {
  if (written !== "busy") return written === "written";
  throw new Fault("conflict", "A run of the organization is at work; try again when it has ended");
}

export function columnOf(image: Image, column: string) {
  return image[IMAGE_INDEX[column as keyof typeof IMAGE_INDEX]]!;
}

function writersOf(image: Image): Columns {
  return { field_sources: columnOf(image, "field_sources"), edited_by_hand: columnOf(image, "edited_by_hand") };
}

const VISIBLE = IMAGE.filter((column) => !["source_id", "field_sources", "edited_by_hand"].includes(column));

/** The change from one image to another. */
export function editOf(user: User, after: Image): Edited {
  const now = imageOf(user);
  const changed = VISIBLE.filter((column) =>
    JSON.stringify(columnOf(now, column)) !== JSON.stringify(columnOf(after, column))
  );
  return { user, after, before: Object.fromEntries(changed.map((column) => [column, columnOf(now, column)])) };
}

function emptied(user: User): Edited {
  const after = blankImage();
  after[IMAGE_INDEX.status] = "inactive";
  return editOf(user, after);
}
