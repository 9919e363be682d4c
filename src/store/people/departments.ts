/** Departments as stored: found, listed, renamed, moved, deactivated. */
import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { type By, HUB } from "../../model/audit.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { foldName } from "../../reconcile/fold.ts";
import type { DepartmentChange, DepartmentImage } from "../../reconcile/planned-change.ts";
import { recordAudit } from "../audit.ts";
import { type Database, writeNamed } from "../database.ts";
import { type HandChange, recordByHand } from "./hand-changes.ts";
import { departments, users } from "./schema.ts";
import { organizations } from "../schema.ts";

export type Department = typeof departments.$inferSelect;

/** A department with its parent and the people in it. */
export interface StoredDepartment {
  readonly department: Department;
  readonly version: number;
  readonly parent: { id: number; name: string } | null;
  readonly activeUsers: number;
}

/** What a hand may change. */
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
  const [row] = await db.orm.select().from(departments).where(and(
    eq(departments.organizationId, organizationId),
    id === null ? eq(departments.folded, foldName(name)) : eq(departments.id, id),
  ));
  return row ?? null;
}

/** In the order in which they were made; at most `limit` of those after id `after`. */
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

/** The names of the department and all above it, the department first. */
export async function loadParents(
  db: Database,
  organizationId: number,
  id: number,
): Promise<{ id: number; name: string }[]> {
  const rows = await db.rows<[number, string]>(sql`
    with recursive up(id, depth) as (
      select ${id}, 0
      union select d.parent_id, up.depth + 1 from up join departments d on d.id = up.id
        where d.parent_id is not null and d.organization_id = ${organizationId} and up.depth < 1000
    )
    select departments.id as id, departments.name as name
    from up join departments on departments.id = up.id
    where departments.organization_id = ${organizationId} order by up.depth`);
  return rows.map(([id, name]) => ({ id, name }));
}

/**
 * False when the department has another version by now, its new parent has come to stand below it, or active users have
 * come into one that is to be deactivated. Fails when the name is another department's.
 */
export async function updateDepartment(
  db: Database,
  current: Department,
  edit: DepartmentEdit,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const same = and(
    sql`exists (select 1 from ${departments} where ${
      and(
        eq(departments.id, current.id),
        eq(departments.organizationId, current.organizationId),
        eq(departments.version, current.version),
      )
    })`,
    edit.parentId === undefined || edit.parentId === null ? undefined : notBelow(current.id, edit.parentId),
    edit.active === false && current.active
      ? sql`not exists (select 1 from ${users} where ${
        and(eq(users.departmentId, current.id), eq(users.status, "active"))
      })`
      : undefined,
  )!;
  const recorded = await recordByHand(db, changeOf(current, edit), same, now);
  const { changed } = await writeNamed(db, {
    history: recorded.statements,
    audit: recordAudit(
      db,
      by,
      {
        organizationId: current.organizationId,
        action: "department.changed",
        subjects: [encodeId("dep", current.id)],
      },
      now,
      same,
    ),
    // Rows name departments and people are in them: both what rows mean and what a plan was made on has moved.
    organizations: db.orm.update(organizations).set({
      dataVersion: sql`${organizations.dataVersion} + 1`,
      referenceVersion: sql`${organizations.referenceVersion} + 1`,
    }).where(and(eq(organizations.id, current.organizationId), same)),
    changed: db.orm.update(departments).set({
      ...(edit.name === undefined ? {} : { name: edit.name, folded: foldName(edit.name) }),
      ...(edit.parentId === undefined ? {} : { parentId: edit.parentId }),
      // Either way a hand has decided, so no deactivation waits any longer.
      ...(edit.active === undefined ? {} : { active: edit.active, closing: false }),
      lastChange: recorded.pageId,
      version: current.version + 1,
      updatedAt: now,
    }).where(and(eq(departments.id, current.id), same)).returning({ id: departments.id }),
  });
  return changed.length > 0;
}

function changeOf(current: Department, edit: DepartmentEdit): HandChange {
  const before = imageOf(current);
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

function imageOf(department: Department): DepartmentImage {
  return {
    name: department.name,
    folded: department.folded,
    parent_id: department.parentId,
    external_id: department.externalId,
    active: department.active ? 1 : 0,
    closing: department.closing ? 1 : 0,
  };
}

function notBelow(departmentId: number, parentId: number): SQL {
  return sql`not exists (
    with recursive up(id) as (
      select ${parentId} union select d.parent_id from up join departments d on d.id = up.id where d.parent_id is not null
    )
    select 1 from up where up.id = ${departmentId})`;
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
