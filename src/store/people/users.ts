/** Users as stored, with the names that their view needs. */
import { and, asc, eq, inArray, or, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { type Database, prepared, setOf } from "../database.ts";
import { ancestors, MANAGERS } from "./hierarchy.ts";
import { departments, links, users } from "./schema.ts";

export type User = typeof users.$inferSelect;

/** A user with its department, its manager and its links. */
export interface StoredUser {
  readonly user: User;
  readonly version: number;
  readonly department: { id: number; name: string } | null;
  readonly manager: { id: number; employeeId: string | null; email: string | null } | null;
  readonly links: readonly { connectionId: number; sourceKey: string; missingSince: number | null }[];
}

/** What users can be filtered by; null: any. */
export interface UserFilter {
  /** Folded. */
  readonly email: string | null;
  readonly employeeId: string | null;
  readonly status: "active" | "inactive" | null;
  readonly departmentId: number | null;
  readonly updatedSince: number | null;
  /** Who became inactive then or before, and has been so since. */
  readonly inactiveUntil: number | null;
  /** Words, or beginnings of words, that people are found by (search-words.ts). */
  readonly q: string | null;
}

const byId = prepared((orm) =>
  select(orm).where(and(
    eq(users.organizationId, sql.placeholder("organizationId")),
    eq(users.id, sql.placeholder("id")),
  )).prepare()
);

export async function findUser(db: Database, organizationId: number, id: number): Promise<StoredUser | null> {
  const rows = await byId(db).all({ organizationId, id });
  return (await withLinks(db, rows))[0] ?? null;
}

/** The organization's users with these ids, by id. */
export async function loadUsers(db: Database, organizationId: number, ids: readonly number[]): Promise<StoredUser[]> {
  if (ids.length === 0) return [];
  const rows = await select(db.orm).where(and(
    eq(users.organizationId, organizationId),
    inArray(users.id, setOf(ids)),
  )).orderBy(asc(users.id));
  return await withLinks(db, rows);
}

/** Users with this employee id or this email; null matches nobody. */
export async function findUserIdsNamed(
  db: Database,
  organizationId: number,
  named: { employeeId: string | null; email: string | null },
): Promise<{ id: number; status: User["status"] }[]> {
  return await db.orm.select({ id: users.id, status: users.status }).from(users).where(and(
    eq(users.organizationId, organizationId),
    or(
      named.employeeId === null ? sql`0` : eq(users.employeeId, named.employeeId),
      named.email === null ? sql`0` : eq(users.email, named.email),
    ),
  )).limit(10);
}

/** The user and all managers above, the user first; a cycle ends it. */
export async function loadChain(
  db: Database,
  organizationId: number,
  id: number,
): Promise<{ id: number; name: string | null }[]> {
  const columns = sql`t.id, coalesce(t.email, t.employee_id)`;
  const rows = await db.rows<[number, string | null]>(ancestors(MANAGERS, organizationId, id, columns));
  return rows.map(([id, name]) => ({ id, name }));
}

function select(orm: Database["orm"]) {
  const managers = alias(users, "managers");
  return orm.select({
    user: users,
    department: { id: departments.id, name: departments.name },
    manager: { id: managers.id, employeeId: managers.employeeId, email: managers.email },
  }).from(users)
    .leftJoin(departments, eq(departments.id, users.departmentId))
    .leftJoin(managers, eq(managers.id, users.managerId)).$dynamic();
}

const linksOf = prepared((orm) =>
  orm.select({
    userId: links.userId,
    connectionId: links.connectionId,
    sourceKey: links.sourceKey,
    missingSince: links.missingSince,
  }).from(links).where(inArray(links.userId, sql`(select value from json_each(${sql.placeholder("ids")}))`))
    .orderBy(asc(links.connectionId), asc(links.sourceKey)).prepare()
);

async function withLinks(db: Database, rows: Omit<StoredUser, "links" | "version">[]): Promise<StoredUser[]> {
  const found = rows.length === 0
    ? []
    : await linksOf(db).all({ ids: JSON.stringify(rows.map(({ user }) => user.id)) });
  return rows.map((row) => ({
    ...row,
    version: row.user.version,
    links: found.filter(({ userId }) => userId === row.user.id).map(({ userId: _, ...link }) => link),
  }));
}
