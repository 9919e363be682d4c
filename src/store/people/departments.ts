/** Departments as stored: found, listed, renamed, moved, deactivated. */
import { and, asc, eq, gt, inArray, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { type By, HUB } from "../../model/audit.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { foldName } from "../../reconcile/fold.ts";
import type { DepartmentChange, DepartmentImage } from "../../reconcile/planned-change.ts";
import { recordAudit } from "../audit.ts";
import { type Database, setOf, writeNamed } from "../database.ts";
import { type HandChange, recordByHand } from "./hand-changes.ts";
import { ancestors, isNotAbove, PARENTS } from "./hierarchy.ts";
import { departments, users } from "./schema.ts";
import { findRow } from "../reads.ts";
import { unchanged } from "../unchanged.ts";
import { moveReferences } from "../versions.ts";

export type Department = typeof departments.$inferSelect;

/** A department with its parent and the people in it. */
export interface StoredDepartment {
  readonly department: Department;
  readonly version: number;
  readonly parent: { id: number; name: string } | null;
  readonly activeUsers: number;
}

/** What an admin may change. */
export interface DepartmentEdit {
  readonly name?: string;
  readonly parentId?: number | null;
  readonly active?: boolean;
}

export async function findDepartment(
  db: Database,
  organizationId: number,
  id: number,
): Promise<StoredDepartment | null> {
  const [row] = await select(db).where(and(eq(departments.organizationId, organizationId), eq(departments.id, id)));
  return row === undefined ? null : { ...row, version: row.department.version };
}

/** By public id, else by name, whatever its case and spaces. */
export async function findDepartmentNamed(
  db: Database,
  organizationId: number,
  name: string,
): Promise<Department | null> {
  const id = decodeId("dep", name);
  return await findRow(db, departments, { organizationId, ...(id === null ? { folded: foldName(name) } : { id }) });
}

/** Oldest first; at most `limit` of those after id `after`. */
export async function listDepartments(
  db: Database,
  organizationId: number,
  page: { after: number; limit: number },
): Promise<StoredDepartment[]> {
  const rows = await select(db)
    .where(and(eq(departments.organizationId, organizationId), gt(departments.id, page.after)))
    .orderBy(asc(departments.id)).limit(page.limit);
  return rows.map((row) => ({ ...row, version: row.department.version }));
}

/** Those of these ids that the organization has, by id. */
export async function findDepartments(
  db: Database,
  organizationId: number,
  ids: readonly number[],
): Promise<ReadonlyMap<number, StoredDepartment>> {
  const rows = await select(db)
    .where(and(eq(departments.organizationId, organizationId), inArray(departments.id, setOf(ids))));
  return new Map(rows.map((row) => [row.department.id, { ...row, version: row.department.version }]));
}

/** The names of the department and all above it, the department first. */
export async function loadParents(
  db: Database,
  organizationId: number,
  id: number,
): Promise<{ id: number; name: string }[]> {
  const rows = await db.rows<[number, string]>(ancestors(PARENTS, organizationId, id, sql`t.id, t.name`));
  return rows.map(([id, name]) => ({ id, name }));
}

/**
 * False when the department has changed, its new parent is now below it, or it is to be deactivated and now has active
 * users. Fails when another department has the name.
 */
export async function updateDepartment(
  db: Database,
  current: Department,
  edit: DepartmentEdit,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const { id, organizationId } = current;
  const same = and(
    unchanged(departments, current, ["id", "organizationId", "version"]),
    edit.parentId == null ? undefined : isNotAbove(PARENTS, id, edit.parentId),
    edit.active === false && current.active
      ? sql`not exists (select 1 from ${users} where ${and(eq(users.departmentId, id), eq(users.status, "active"))})`
      : undefined,
  )!;
  const recorded = await recordByHand(db, changeOf(current, edit), same, now);
  const { changed } = await writeNamed(db, {
    history: recorded.statements,
    audit: recordAudit(
      db,
      by,
      { organizationId, action: "department.changed", subjects: [encodeId("dep", id)] },
      now,
      same,
    ),
    // Rows name departments, and people are in them: the meaning of rows and the data of plans have changed.
    references: moveReferences(db, organizationId, same),
    changed: db.orm.update(departments).set({
      ...(edit.name === undefined ? {} : { name: edit.name, folded: foldName(edit.name) }),
      ...(edit.parentId === undefined ? {} : { parentId: edit.parentId }),
      // The admin has decided, so a deactivation that was waiting is cancelled.
      ...(edit.active === undefined ? {} : { active: edit.active, closing: false }),
      lastChange: recorded.pageId,
      version: current.version + 1,
      updatedAt: now,
    }).where(and(eq(departments.id, id), same)).returning({ id: departments.id }),
  });
  return changed.length > 0;
}

function changeOf(current: Department, edit: DepartmentEdit): HandChange {
  const before = departmentImageOf(current);
  const after = {
    ...before,
    ...(edit.name === undefined ? {} : { name: edit.name, folded: foldName(edit.name) }),
    ...(edit.parentId === undefined ? {} : { parent_id: edit.parentId }),
    ...(edit.active === undefined ? {} : { active: edit.active ? 1 : 0, closing: 0 }),
  };
  const change: DepartmentChange = {
    action: after.active === before.active ? "update" : after.active === 1 ? "reactivate" : "deactivate",
    line: null,
    departmentId: current.id,
    version: current.version,
    reason: "hand",
    before: Object.fromEntries(
      Object.entries(before).filter(([column, value]) => after[column as keyof DepartmentImage] !== value),
    ),
    previousPage: current.lastChange,
    after,
  };
  return { organizationId: current.organizationId, kind: "departments", entry: change };
}

/** A department as pages hold it. */
export function departmentImageOf(department: Department): DepartmentImage {
  return {
    name: department.name,
    folded: department.folded,
    parent_id: department.parentId,
    external_id: department.externalId,
    active: department.active ? 1 : 0,
    closing: department.closing ? 1 : 0,
  };
}

function select(db: Database) {
  const parents = alias(departments, "parents");
  return db.orm.select({
    department: departments,
    parent: { id: parents.id, name: parents.name },
    activeUsers: sql<number>`(select count(*) from ${users}
      where ${users.departmentId} = ${departments.id} and ${users.status} = 'active')`,
  }).from(departments).leftJoin(parents, eq(parents.id, departments.parentId)).$dynamic();
}
