/** Resources of people as stored: found, listed, made, changed. Each query names the organization and the connection. */
import { and, eq, isNull, sql } from "drizzle-orm";
import { type Database, setOf, type Statement } from "../database.ts";
import { links } from "../people/schema.ts";
import { loadUsers, type StoredUser } from "../people/users.ts";
import { type Asked, isBehind, orderBy, type PagePlace } from "./order.ts";
import { fromPeople, type Within } from "./people.ts";
import { groupMembers, groups, scimUsers } from "./schema.ts";

export type ScimUser = typeof scimUsers.$inferSelect;

/** A person with their resource. */
export interface ScimPerson {
  readonly row: ScimUser;
  readonly stored: StoredUser;
  readonly managerName: string | null;
  readonly groups: readonly { readonly id: number; readonly name: string }[];
}

/** How many people fit. */
export async function countPeople(db: Database, within: Within, { condition, start }: Asked): Promise<number> {
  const [row] = await db.rows<[number]>(sql`select count(*) ${fromPeople(within, condition ?? sql`1`, start)}`);
  return row![0];
}

/** The ids of the people who fit, in their order. */
export async function listPeople(db: Database, within: Within, asked: Asked, place: PagePlace): Promise<number[]> {
  // The plus: an index that gives the order would be preferred to one that finds the few people.
  const id = sql`+u.id`;
  const behind = isBehind(
    id,
    asked.sort,
    place.after,
    (value, after) => sql`(select ${value} ${fromPeople(within, sql`u.id = ${after}`)})`,
  );
  const condition = sql`${asked.condition ?? sql`1`} and ${behind}`;
  const rows = await db.rows<[number]>(
    sql`select u.id ${fromPeople(within, condition, asked.start)}
    order by ${orderBy(id, asked.sort)} limit ${place.limit} offset ${place.offset}`,
  );
  return rows.flat();
}

/** The people with these ids whom the connection sees, in this order. */
export async function loadPeople(
  db: Database,
  within: Within,
  ids: readonly number[],
  { withGroups }: { readonly withGroups: boolean },
): Promise<ScimPerson[]> {
  if (ids.length === 0) return [];
  const rows = await db.rows<[number, string]>(sql`select u.id, s.source_key
    ${fromPeople(within, sql`u.id in ${setOf(ids)}`)}`);
  const keys = new Map(rows);
  const resources = await db.orm.select().from(scimUsers).where(and(
    eq(scimUsers.connectionId, within.connectionId),
    eq(scimUsers.organizationId, within.organizationId),
    sql`${scimUsers.sourceKey} in ${setOf([...keys.values()])}`,
  ));
  const byKey = new Map(resources.map((row) => [row.sourceKey, row]));
  const people = new Map((await loadUsers(db, within.organizationId, ids)).map((each) => [each.user.id, each]));
  const names = await managerNames(db, within.organizationId, [...people.values()]);
  const groupsOf = withGroups ? await loadGroupsOf(db, within, ids) : new Map<number, never[]>();
  return ids.flatMap((id) => {
    const row = byKey.get(keys.get(id) ?? ""), stored = people.get(id);
    if (row === undefined || stored === undefined) return [];
    const managerName = names.get(stored.user.managerId ?? 0) ?? null;
    return [{ row, stored, managerName, groups: groupsOf.get(id) ?? [] }];
  });
}

async function managerNames(
  db: Database,
  organizationId: number,
  people: readonly StoredUser[],
): Promise<ReadonlyMap<number, string>> {
  const ids = [...new Set(people.flatMap(({ user }) => user.managerId ?? []))];
  if (ids.length === 0) return new Map();
  const rows = await db.rows<[number, string]>(sql`select id,
    trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) from users
    where organization_id = ${organizationId} and id in ${setOf(ids)}`);
  return new Map(rows.filter(([, name]) => name !== ""));
}

async function loadGroupsOf(db: Database, { organizationId, connectionId }: Within, ids: readonly number[]) {
  const rows = await db.rows<[number, number, string]>(sql`select distinct coalesce(w.merged_into, w.id), g.id, g.name
    from users w join ${groupMembers} m on m.user_id = w.id join ${groups} g on g.id = m.group_id
    where (w.id in ${setOf(ids)} or w.merged_into in ${setOf(ids)}) and m.organization_id = ${organizationId}
      and g.organization_id = ${organizationId} and g.connection_id = ${connectionId} order by g.id`);
  const byUser = new Map<number, { id: number; name: string }[]>();
  for (const [userId, id, name] of rows) {
    const own = byUser.get(userId);
    if (own === undefined) byUser.set(userId, [{ id, name }]);
    else own.push({ id, name });
  }
  return byUser;
}

/** A resource that a new one may be the same as, with its user: null where no run has made the link. */
export interface Earlier {
  readonly row: ScimUser;
  readonly user: { readonly id: number; readonly status: "active" | "inactive" } | null;
}

/** Resources of the connection, deleted ones too, with this name or this external id. */
export async function findEarlier(
  db: Database,
  { organizationId, connectionId }: Within,
  { folded, externalId }: { readonly folded: string; readonly externalId: string | null },
): Promise<Earlier[]> {
  const rows = await db.orm.select().from(scimUsers).where(and(
    eq(scimUsers.connectionId, connectionId),
    eq(scimUsers.organizationId, organizationId),
    sql`(${scimUsers.folded} = ${folded} or ${externalId === null ? sql`0` : eq(scimUsers.externalId, externalId)})`,
  )).orderBy(sql`${scimUsers.removedAt} is not null, ${scimUsers.removedAt} desc`).limit(50);
  const found = await db.rows<[string, number, "active" | "inactive"]>(sql`select l.source_key, u.id, u.status
    from ${links} l join users u on u.id = l.user_id and u.organization_id = ${organizationId}
    where l.connection_id = ${connectionId} and l.source_key in ${setOf(rows.map(({ sourceKey }) => sourceKey))}`);
  const people = new Map(found.map(([key, id, status]) => [key, { id, status }]));
  return rows.map((row) => ({ row, user: people.get(row.sourceKey) ?? null }));
}

/** The user whom the link with this key leads to; null: there is none. */
export async function userOfKey(db: Database, { connectionId }: Within, sourceKey: string): Promise<number | null> {
  const rows = await db.rows<[number]>(sql`select user_id from ${links}
    where connection_id = ${connectionId} and source_key = ${sourceKey}`);
  return rows[0]?.[0] ?? null;
}

/** The keys of these people in the connection, by their ids. */
export async function keysOfPeople(
  db: Database,
  within: Within,
  ids: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const rows = await db.rows<[number, string]>(sql`select u.id, s.source_key
    ${fromPeople(within, sql`u.id in ${setOf(ids)}`)}`);
  return new Map(rows);
}

/** Fails with a unique violation when another resource has the name. */
export async function insertScimUser(db: Database, row: ScimUser): Promise<void> {
  await db.write([db.orm.insert(scimUsers).values(row)]);
}

/** Writes what the resource has of its own. Fails with a unique violation when another one has the name. */
export async function updateScimUser(db: Database, row: ScimUser): Promise<void> {
  const { connectionId, sourceKey, organizationId, ...values } = row;
  await db.write([db.orm.update(scimUsers).set(values).where(isRow({ connectionId, sourceKey, organizationId }))]);
}

/** Deletes a resource that no run has made a person of. */
export async function deleteUnlinked(db: Database, row: ScimUser): Promise<void> {
  await db.write([
    db.orm.delete(scimUsers).where(and(
      isRow(row),
      sql`not exists (select 1 from ${links} l where l.connection_id = ${row.connectionId}
        and l.source_key = ${row.sourceKey})`,
    )),
  ]);
}

/** Marks the resource as deleted, and takes the person out of the connection's groups. The person stays. */
export async function removeScimUser(db: Database, row: ScimUser, userId: number, now: number): Promise<void> {
  await db.write([
    db.orm.update(scimUsers).set({ removedAt: now, updatedAt: now }).where(
      and(isRow(row), isNull(scimUsers.removedAt)),
    ),
    db.run(sql`delete from ${groupMembers} where user_id = ${userId} and organization_id = ${row.organizationId}
      and group_id in (select id from ${groups} where connection_id = ${row.connectionId})`),
  ]);
}

function isRow(
  { connectionId, sourceKey, organizationId }: Pick<ScimUser, "connectionId" | "sourceKey" | "organizationId">,
) {
  return and(
    eq(scimUsers.connectionId, connectionId),
    eq(scimUsers.sourceKey, sourceKey),
    eq(scimUsers.organizationId, organizationId),
  );
}

/** The statements that delete what the connections' providers have made of a person. To run before their links go. */
export function forgetScimUser(db: Database, userId: number): Statement[] {
  return [
    db.run(sql`delete from ${scimUsers} where (connection_id, source_key) in
      (select connection_id, source_key from ${links} where user_id = ${userId})`),
    db.run(sql`delete from ${groupMembers} where user_id = ${userId}`),
  ];
}

/** The run that is held and about one of these names (run-names.ts); null: none is. */
export async function findHeldWith(
  db: Database,
  { organizationId, connectionId }: Within,
  names: readonly string[],
): Promise<number | null> {
  const rows = await db.rows<[number]>(sql`select n.run_id from run_names n join runs h on h.id = n.run_id
    where n.connection_id = ${connectionId} and n.organization_id = ${organizationId} and n.name in ${setOf(names)}
      and h.status = 'held' order by n.run_id limit 1`);
  return rows[0]?.[0] ?? null;
}
