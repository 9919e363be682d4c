/**
 * An edit of a user by hand: the user, the history, the feed, and the organization's data version, in one write that
 * happens only if the user is still as it was read.
 */
import { and, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { encodeChange } from "../../reconcile/columns/entry.ts";
import { IMAGE, type Image, IMAGE_INDEX, type ImageColumn, type Stored } from "../../reconcile/image.ts";
import type { UserChange } from "../../reconcile/planned-change.ts";
import { recordAudit } from "../audit.ts";
import { type Database, type Statement, writeNamed } from "../database.ts";
import { type HandChange, recordByHand } from "./hand-changes.ts";
import { isNotAbove, MANAGERS } from "./hierarchy.ts";
import { pendingManagers, users } from "./schema.ts";
import { organizations } from "../schema.ts";
import type { User } from "./users.ts";
import { unchanged } from "../unchanged.ts";

/** The edit of a user. */
export interface UserEdit {
  readonly action: UserChange["action"];
  readonly after: Image;
  /** Visible columns that change, with their former values. None: only the source of some values changes. */
  readonly before: Partial<Record<ImageColumn, Stored>>;
}

/** The property of a user that holds each column. */
const PROPERTY = Object.fromEntries(
  Object.entries(getTableColumns(users)).map(([property, { name }]) => [name, property]),
) as Record<ImageColumn, keyof User>;

/** A user's columns in the order of IMAGE, as pages hold them. */
export function imageOf(user: User): Image {
  return IMAGE.map((column) => column === "on_leave" ? (user.onLeave ? 1 : 0) : user[PROPERTY[column]] as Stored);
}

/** What an edit is called in the audit, and what is written with it. */
export interface EditedWith {
  readonly action?: AuditAction;
  /** Statements that do nothing unless the condition holds: the user is still as it was read. */
  readonly statements?: (same: SQL) => readonly Statement[];
}

/** False when the user has changed or was merged into another, or its new manager is now below it. */
export async function writeUserEdit(
  db: Database,
  user: User,
  edit: UserEdit,
  now: number,
  by: By = HUB,
  { action = "user.changed", statements = () => [] }: EditedWith = {},
): Promise<boolean> {
  const { organizationId } = user;
  if (user.mergedInto !== null) return false;
  const managerId = edit.after[IMAGE_INDEX.manager_id] as number | null;
  const newManager = "manager_id" in edit.before;
  const same = and(
    unchanged(users, user, ["id", "organizationId", "version"]),
    newManager && managerId !== null ? isNotAbove(MANAGERS, user.id, managerId) : undefined,
  )!;
  // An edit that is not visible, such as a released field, is not in the history.
  const recorded = Object.keys(edit.before).length === 0
    ? { pageId: user.lastPage, statements: [] }
    : await recordByHand(db, changeOf(user, edit), same, now);
  const { changed } = await writeNamed(db, {
    history: recorded.statements,
    beside: statements(same),
    audit: recordAudit(
      db,
      by,
      { organizationId, action, subjects: [encodeId("usr", user.id)] },
      now,
      same,
    ),
    pendingManagers: newManager
      ? [db.orm.delete(pendingManagers).where(and(eq(pendingManagers.userId, user.id), same))]
      : [],
    organizations: db.orm.update(organizations).set({ dataVersion: sql`${organizations.dataVersion} + 1` })
      .where(and(eq(organizations.id, organizationId), same)),
    changed: db.orm.update(users).set({
      ...propertiesOf(edit.after),
      ...("deactivation_date" in edit.before ? { guardedLeaving: null } : {}),
      lastPage: recorded.pageId,
      version: user.version + 1,
      updatedAt: now,
    }).where(and(eq(users.id, user.id), eq(users.organizationId, organizationId), same)).returning({ id: users.id }),
  });
  return changed.length > 0;
}

function changeOf(user: User, edit: UserEdit): HandChange {
  const entry = encodeChange({
    action: edit.action,
    line: null,
    userId: user.id,
    version: user.version,
    reason: "hand",
    before: edit.before,
    previousPage: user.lastPage,
    key: null,
    digest: null,
    canonical: null,
    active: edit.after[IMAGE_INDEX.status] === "active",
    after: edit.after,
  });
  const manager = "manager_id" in edit.before ? edit.after[IMAGE_INDEX.manager_id] as number | null : undefined;
  return { organizationId: user.organizationId, kind: "updates", entry, manager };
}

/** The user's properties that an edit writes. Its connection stays. */
export function propertiesOf(after: Image): Partial<User> {
  const written = IMAGE.filter((column) => column !== "source_id");
  const properties = written.map((column) => [PROPERTY[column], after[IMAGE_INDEX[column]]!] as const);
  return { ...Object.fromEntries(properties), onLeave: after[IMAGE_INDEX.on_leave] === 1 };
}
