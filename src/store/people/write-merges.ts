/**
 * Two records of one person that become one: a batch that moves everything, and one that takes it back. Both are written
 * only if nobody of the organization has changed since they were planned, and while none of its runs is at work.
 */
import { and, eq, sql } from "drizzle-orm";
import type { AuditAction, By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { encodeChange } from "../../reconcile/columns/entry.ts";
import { type Image, IMAGE_INDEX } from "../../reconcile/image.ts";
import type { Columns } from "../../reconcile/merge-fields.ts";
import type { UserChange } from "../../reconcile/planned-change.ts";
import { recordAudit } from "../audit.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { hasMoved, unlessMoved } from "../moved.ts";
import { first } from "../reads.ts";
import { isIdle } from "../runs/queue.ts";
import { selectAtWork } from "../runs/runs.ts";
import { type HandChange, recordAllByHand } from "./hand-changes.ts";
import type { Merge } from "./merges.ts";
import { links, users } from "./schema.ts";
import { merges, type Moved, type MovedLink } from "./schema-merges.ts";
import { imageOf, propertiesOf } from "./user-edits.ts";
import type { User } from "./users.ts";

/** A user's new columns; `before`: the visible ones that change, with their former values. */
export interface Edited {
  readonly user: User;
  readonly after: Image;
  readonly before: Columns;
  /** Columns beside those of the image. */
  readonly more?: Partial<User>;
}

/** What a merge or its undoing writes. */
interface Write {
  /** The organization's data version at which it was planned. */
  readonly dataVersion: number;
  readonly reason: "merged" | "merge_undone";
  /** In this order: the user who gives up an address or an id comes first. */
  readonly edits: readonly Edited[];
  /** Everybody else's new manager. */
  readonly reports: readonly User[];
  readonly managerId: number;
  readonly statements: readonly Statement[];
  readonly action: AuditAction;
  readonly subjects: readonly number[];
}

/** `busy`: a run of the organization is at work. `moved`: somebody has changed since it was planned. */
export type Written = "written" | "busy" | "moved";

async function writeAll(db: Database, organizationId: number, write: Write, now: number, by: By): Promise<Written> {
  const isFree = await isIdle(db, organizationId);
  if (isFree === null || await isAtWork(db, organizationId)) return "busy";
  const { edits, reports, managerId, reason, dataVersion } = write;
  const seen = edits.filter(({ before }) => Object.keys(before).length > 0);
  const changes = [
    ...seen.map((edit) => changeOf(edit, reason)),
    ...reports.map((user) => reportOf(user, managerId, reason)),
  ];
  const { pageIds, statements } = await recordAllByHand(db, changes, sql`true`, now);
  const pages = new Map(seen.map(({ user }, place) => [user.id, pageIds[place]!]));
  // They were read before the organization's version was.
  const read = edits.map(({ user }) => [user.id, user.version]);
  const moves = reports.map(({ id }, place) => [id, pageIds[seen.length + place]!]);
  try {
    await db.write([
      db.run(sql`select ${
        unlessMoved(sql`data_version = ${dataVersion} and ${isFree} and not exists (select 1 from runs
            where organization_id = ${organizationId} and status in ('planning', 'applying'))
          and ${edits.length} = (select count(*) from json_each(${JSON.stringify(read)}) j
            cross join users u on u.id = j.value ->> 0 and u.version = j.value ->> 1)`)
      } from organizations where id = ${organizationId}`),
      ...statements,
      ...edits.map(({ user, after, before, more }) =>
        db.orm.update(users).set({
          ...propertiesOf(after),
          ...("deactivation_date" in before ? { guardedLeaving: null } : {}),
          ...more,
          lastPage: pages.get(user.id) ?? user.lastPage,
          version: user.version + 1,
          updatedAt: now,
        }).where(and(eq(users.id, user.id), eq(users.organizationId, organizationId)))
      ),
      db.run(sql`update users set manager_id = ${managerId}, version = version + 1, updated_at = ${now},
          last_page = (select value ->> 1 from json_each(${JSON.stringify(moves)}) where value ->> 0 = users.id)
        where organization_id = ${organizationId} and id in ${setOf(reports.map(({ id }) => id))}`),
      ...write.statements,
      db.run(sql`update organizations set data_version = data_version + 1 where id = ${organizationId}`),
      recordAudit(db, by, {
        organizationId,
        action: write.action,
        subjects: write.subjects.map((id) => encodeId("usr", id)),
      }, now),
    ]);
    return "written";
  } catch (error) {
    if (!hasMoved(error)) throw error;
    return "moved";
  }
}

async function isAtWork(db: Database, organizationId: number): Promise<boolean> {
  return await first(selectAtWork(db, { organizationId }).limit(1)) !== null;
}

function changeOf({ user, before, after }: Edited, reason: string): HandChange {
  const becomes = after[IMAGE_INDEX.status];
  const action = !("status" in before) ? "update" : becomes === "active" ? "reactivate" : "deactivate";
  return {
    organizationId: user.organizationId,
    kind: "updates",
    entry: encodeChange(entryOf(user, { action, reason, before, after })),
    manager: "manager_id" in before ? after[IMAGE_INDEX.manager_id] as number | null : undefined,
  };
}

function reportOf(user: User, managerId: number, reason: string): HandChange {
  const after = imageOf(user), before = { manager_id: user.managerId };
  after[IMAGE_INDEX.manager_id] = managerId;
  const entry = encodeChange(entryOf(user, { action: "update", reason, before, after }));
  return { organizationId: user.organizationId, kind: "updates", entry, manager: managerId };
}

function entryOf(
  { id, version, lastPage }: User,
  change: Pick<UserChange, "action" | "reason" | "before" | "after">,
): UserChange {
  const active = change.after[IMAGE_INDEX.status] === "active";
  return {
    ...change,
    line: null,
    userId: id,
    version,
    previousPage: lastPage,
    key: null,
    digest: null,
    canonical: null,
    active,
  };
}

export interface NewMerge {
  readonly dataVersion: number;
  readonly user: Edited;
  readonly into: Edited;
  readonly reports: readonly User[];
  readonly moved: Moved;
  readonly undoUntil: number;
}

/** Moves everything of the user to the other one. */
export async function writeMerge(db: Database, merge: NewMerge, now: number, by: By): Promise<Written> {
  const { user: { user }, into: { user: into }, moved, reports, dataVersion, undoUntil } = merge;
  const { organizationId } = user;
  return await writeAll(
    db,
    organizationId,
    {
      dataVersion,
      reason: "merged",
      edits: [merge.user, merge.into],
      reports,
      managerId: into.id,
      statements: [
        db.run(
          sql`delete from links where user_id = ${user.id} and connection_id in ${
            setOf(moved.unlinked.map(({ connectionId }) => connectionId))
          }`,
        ),
        moveLinks(db, moved.links, user.id, into.id),
        moveDecisions(db, moved.decisions, user.id, into.id),
        db.run(sql`delete from pending_managers where user_id = ${user.id}`),
        db.run(sql`delete from leavers where user_id = ${user.id}`),
        db.orm.insert(merges).values({
          userId: user.id,
          organizationId,
          intoId: into.id,
          moved,
          mergedAt: now,
          undoUntil,
        }),
      ],
      action: "user.merged",
      subjects: [user.id, into.id],
    },
    now,
    by,
  );
}

export interface UndoneMerge {
  readonly dataVersion: number;
  readonly user: Edited;
  readonly into: Edited;
  readonly reports: readonly User[];
  readonly links: readonly MovedLink[];
  readonly unlinked: readonly MovedLink[];
  readonly merge: Merge;
}

/** Gives the user back what is given here. */
export async function writeUndone(db: Database, undone: UndoneMerge, now: number, by: By): Promise<Written> {
  const { user: { user }, into: { user: into }, merge: { moved }, links: back, unlinked } = undone;
  const rows = unlinked.map((link) => ({ ...link, userId: user.id }));
  return await writeAll(
    db,
    user.organizationId,
    {
      dataVersion: undone.dataVersion,
      reason: "merge_undone",
      edits: [undone.into, undone.user],
      reports: undone.reports,
      managerId: user.id,
      statements: [
        moveLinks(db, back, into.id, user.id),
        ...rows.map((row) => db.orm.insert(links).values(row)),
        moveDecisions(db, moved.decisions, into.id, user.id),
        ...(moved.leftSince === null ? [] : [
          db.run(sql`insert into leavers (user_id, organization_id, since)
          values (${user.id}, ${user.organizationId}, ${moved.leftSince}) on conflict (user_id) do update set since = excluded.since`),
        ]),
        db.orm.delete(merges).where(eq(merges.userId, user.id)),
      ],
      action: "user.merge_undone",
      subjects: [user.id, into.id],
    },
    now,
    by,
  );
}

/** Their rows are read again: they are about somebody else now. */
function moveLinks(db: Database, moved: readonly MovedLink[], from: number, to: number): Statement {
  const keys = JSON.stringify(moved.map(({ connectionId, sourceKey }) => [connectionId, sourceKey]));
  return db.run(sql`update links set user_id = ${to}, digest = null, canonical = null where user_id = ${from}
    and (connection_id, source_key) in (select value ->> 0, value ->> 1 from json_each(${keys}))`);
}

function moveDecisions(db: Database, ids: readonly number[], from: number, to: number): Statement {
  return db.run(sql`update identity_decisions set user_id = ${to} where user_id = ${from} and id in ${setOf(ids)}`);
}
