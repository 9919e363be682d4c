/** Decisions about rows that would make their user somebody else, as stored. */
import { and, desc, eq, inArray, sql } from "drizzle-orm";
import { type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { type Image, IMAGE_INDEX, type ImageColumn, type Stored } from "../../reconcile/image.ts";
import { recordAudit } from "../audit.ts";
import { type Database, insertIf, setOf, type Statement } from "../database.ts";
import { organizations } from "../schema.ts";
import { matches } from "../unchanged.ts";
import { links } from "./schema.ts";
import { identityDecisions, type Released } from "./schema-identities.ts";
import { imageOf, type UserEdit, writeUserEdit } from "./user-edits.ts";
import type { StoredUser, User } from "./users.ts";

export type IdentityDecision = typeof identityDecisions.$inferSelect;
type Kind = IdentityDecision["kind"];

/** The row that is decided about. */
export interface ConflictingRow {
  readonly connectionId: number;
  /** The row's key in its comparable form. */
  readonly sourceKey: string;
  /** The field by which the row found its user. */
  readonly field: "employee_id" | "email" | "mobile_phone" | "source_id";
  readonly fingerprint: string;
}

/** The accepted rows of a connection, as `user fingerprint`. */
export async function listAccepted(db: Database, organizationId: number, connectionId: number): Promise<Set<string>> {
  const rows = await db.orm.select({ userId: identityDecisions.userId, fingerprint: identityDecisions.fingerprint })
    .from(identityDecisions).where(matches(identityDecisions, { organizationId, connectionId, kind: "accept" }));
  return new Set(rows.map(({ userId, fingerprint }) => `${userId} ${fingerprint}`));
}

export async function findDecision(
  db: Database,
  { organizationId, id: userId }: User,
  kind: Kind,
): Promise<IdentityDecision | null> {
  const [row] = await db.orm.select().from(identityDecisions)
    .where(matches(identityDecisions, { organizationId, userId, kind })).orderBy(desc(identityDecisions.id)).limit(1);
  return row ?? null;
}

/** What has been decided about these users' rows of the connection. */
export async function listDecisions(
  db: Database,
  organizationId: number,
  connectionId: number,
  userIds: readonly number[],
): Promise<IdentityDecision[]> {
  return await db.orm.select().from(identityDecisions).where(
    and(
      matches(identityDecisions, { organizationId, connectionId }),
      inArray(identityDecisions.userId, setOf(userIds)),
    ),
  );
}

/** The row is the same person's: it is applied when it comes again. */
export async function acceptRow(db: Database, { user }: StoredUser, row: ConflictingRow, now: number, by: By = HUB) {
  const { organizationId, id: userId } = user;
  await db.write([
    ...replaceDecision(db, user, "accept", row, null, now),
    recordAudit(db, by, {
      organizationId,
      action: "user.accepted",
      subjects: [encodeId("usr", userId), encodeId("con", row.connectionId)],
    }, now),
    // The same input means something else now, so it is not skipped.
    db.orm.update(organizations).set({ dataVersion: sql`${organizations.dataVersion} + 1` })
      .where(eq(organizations.id, organizationId)),
  ]);
}

/**
 * The row is somebody new's: the user stays, inactive, without the id or address by which the row found them, and without
 * the link. False when the user has changed.
 */
export async function releaseUser(
  db: Database,
  stored: StoredUser,
  row: ConflictingRow,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const { user } = stored;
  // Somebody with a new key is linked by the old one.
  const link = stored.links.find(({ connectionId }) => connectionId === row.connectionId);
  const column = fieldToRelease(stored, row);
  const image = imageOf(user);
  const value = column === null ? null : image[IMAGE_INDEX[column]] as string | null;
  const released: Released = {
    field: column,
    value,
    wasActive: user.status === "active",
    sourceKey: link?.sourceKey ?? null,
    linkActive: user.status === "active",
  };
  const changes: Partial<Record<ImageColumn, Stored>> = { status: "inactive" };
  if (column !== null) changes[column] = null;
  return await writeUserEdit(db, user, editTo(image, changes, "deactivate"), now, by, {
    action: "user.released",
    statements: (same) => [
      db.orm.delete(links).where(and(eq(links.connectionId, row.connectionId), eq(links.userId, user.id), same)),
      ...replaceDecision(db, user, "release", row, released, now, same),
    ],
  });
}

/**
 * The field that the user loses when the row is somebody new's; null: none. A user that was found by its link may have been
 * given another id by hand since, which is nobody else's. Phones are written in many ways, and count as the row's.
 */
export function fieldToRelease(stored: StoredUser, row: ConflictingRow): Released["field"] {
  const { field, sourceKey } = row;
  if (field === "source_id") return null;
  const value = imageOf(stored.user)[IMAGE_INDEX[field]] as string | null;
  if (value === null) return null;
  const isRows = linkOf(stored, row) === undefined || field === "mobile_phone" ||
    value.toLowerCase() === sourceKey.toLowerCase();
  return isRows ? field : null;
}

function linkOf({ links }: StoredUser, { connectionId, sourceKey }: ConflictingRow) {
  return links.find((each) => each.connectionId === connectionId && each.sourceKey === sourceKey);
}

/** Gives the user back what was released. False when the user has changed. Fails when somebody else has it by now. */
export async function takeBackRelease(
  db: Database,
  { user }: StoredUser,
  { id, connectionId, released }: IdentityDecision,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const { field, value, wasActive, sourceKey, linkActive } = released!;
  const changes: Partial<Record<ImageColumn, Stored>> = { status: wasActive ? "active" : "inactive" };
  if (field !== null) changes[field] = value;
  const link = { connectionId, sourceKey: sourceKey!, userId: user.id, active: linkActive };
  return await writeUserEdit(
    db,
    user,
    editTo(imageOf(user), changes, wasActive ? "reactivate" : "update"),
    now,
    by,
    {
      action: "user.release_undone",
      statements: (same) => [
        ...sourceKey === null ? [] : [db.run(insertIf(links, link, same))],
        db.orm.delete(identityDecisions).where(and(eq(identityDecisions.id, id), same)),
      ],
    },
  );
}

export async function takeBackAcceptance(
  db: Database,
  { organizationId, id: userId }: User,
  { id, connectionId }: IdentityDecision,
  now: number,
  by: By = HUB,
): Promise<void> {
  await db.write([
    db.orm.delete(identityDecisions).where(eq(identityDecisions.id, id)),
    recordAudit(db, by, {
      organizationId,
      action: "user.acceptance_undone",
      subjects: [encodeId("usr", userId), encodeId("con", connectionId)],
    }, now),
  ]);
}

function replaceDecision(
  db: Database,
  { organizationId, id: userId }: User,
  kind: Kind,
  { connectionId, fingerprint }: ConflictingRow,
  released: Released | null,
  createdAt: number,
  condition = sql`true`,
): Statement[] {
  const decision = { organizationId, connectionId, userId, kind };
  const stored = released === null ? null : sql`${JSON.stringify(released)}`;
  return [
    db.orm.delete(identityDecisions).where(and(matches(identityDecisions, decision), condition)),
    db.run(insertIf(identityDecisions, { ...decision, fingerprint, released: stored, createdAt }, condition)),
  ];
}

/** The edit that sets these columns; what does not change is left out. */
function editTo(
  image: Image,
  changes: Partial<Record<ImageColumn, Stored>>,
  action: UserEdit["action"],
): UserEdit {
  const after = image.slice();
  const before: Partial<Record<ImageColumn, Stored>> = {};
  for (const [column, value] of Object.entries(changes) as [ImageColumn, Stored][]) {
    if (image[IMAGE_INDEX[column]] === value) continue;
    before[column] = image[IMAGE_INDEX[column]]!;
    after[IMAGE_INDEX[column]] = value;
  }
  return { action: "status" in before ? action : "update", after, before };
}
