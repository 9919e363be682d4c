/** Groups as stored: found, listed, made, changed, deleted. Each change is in the feed, with ids of members alone. */
import { and, eq, type SQL, sql } from "drizzle-orm";
import type { By } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import type { GroupChange } from "../../reconcile/group-change.ts";
import { foldText } from "../../scim/fold.ts";
import { recordAudit } from "../audit.ts";
import { type Database, setOf, type Statement, writeNamed } from "../database.ts";
import { recordByHand } from "../people/hand-changes.ts";
import { reserve } from "../sequences.ts";
import { unchanged } from "../unchanged.ts";
import { type Asked, isBehind, orderBy, type PagePlace } from "./order.ts";
import { fromPeople, type Within } from "./people.ts";
import { groupMembers, groups } from "./schema.ts";

export type Group = typeof groups.$inferSelect;

export interface Member {
  readonly id: number;
  readonly name: string | null;
}

/** Members that a change names at most in the feed: more are counted by the group itself. */
const NAMED_IN_FEED = 10_000;

/** A group of the connection; null: there is none. */
export async function findGroup(db: Database, within: Within, id: number): Promise<Group | null> {
  const [row] = await db.orm.select().from(groups).where(and(isOf(within), eq(groups.id, id))).limit(1);
  return row ?? null;
}

export async function countGroups(db: Database, within: Within, { condition }: Asked): Promise<number> {
  const [row] = await db.rows<[number]>(sql`select count(*) ${fromGroups(within, condition ?? sql`1`)}`);
  return row![0];
}

/** Ids in their order. */
export async function listGroupIds(db: Database, within: Within, asked: Asked, place: PagePlace): Promise<number[]> {
  const id = sql`g.id`;
  const behind = isBehind(
    id,
    asked.sort,
    place.after,
    (value, after) => sql`(select ${value} ${fromGroups(within, sql`g.id = ${after}`)})`,
  );
  const rows = await db.rows<[number]>(
    sql`select g.id ${fromGroups(within, sql`${asked.condition ?? sql`1`} and ${behind}`)}
    order by ${orderBy(id, asked.sort)} limit ${place.limit} offset ${place.offset}`,
  );
  return rows.flat();
}

export async function loadGroups(db: Database, within: Within, ids: readonly number[]): Promise<Group[]> {
  const rows = await db.orm.select().from(groups).where(and(isOf(within), sql`${groups.id} in ${setOf(ids)}`));
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/** The members of these groups, by group. Somebody who was merged into another counts as that one. */
export async function loadMembers(
  db: Database,
  organizationId: number,
  ids: readonly number[],
): Promise<ReadonlyMap<number, readonly Member[]>> {
  const rows = await db.rows<[number, number, string | null]>(sql`select distinct m.group_id, u.id,
      nullif(trim(coalesce(u.first_name, '') || ' ' || coalesce(u.last_name, '')), '')
    from ${groupMembers} m join users o on o.id = m.user_id and o.organization_id = ${organizationId}
      join users u on u.id = coalesce(o.merged_into, o.id) and u.organization_id = ${organizationId}
    where m.group_id in ${setOf(ids)} and m.organization_id = ${organizationId} order by m.group_id, u.id`);
  const byGroup = new Map<number, Member[]>();
  for (const [groupId, id, name] of rows) {
    const own = byGroup.get(groupId);
    if (own === undefined) byGroup.set(groupId, [{ id, name }]);
    else own.push({ id, name });
  }
  return byGroup;
}

/** Those of these users whom the connection's provider sees. */
export async function listSeen(db: Database, within: Within, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await db.rows<[number]>(sql`select u.id ${fromPeople(within, sql`u.id in ${setOf(ids)}`)}`);
  return new Set(rows.flat());
}

export interface GroupInput {
  readonly name: string;
  readonly externalId: string | null;
}

/** Fails with a unique violation when the connection has a group with the name. */
export async function createGroup(
  db: Database,
  within: Within,
  { name, externalId }: GroupInput,
  members: readonly number[],
  now: number,
  by: By,
): Promise<Group> {
  const id = await reserve(db, "group");
  const row: Group = {
    id,
    ...within,
    externalId,
    name,
    folded: foldText(name),
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  const change: GroupChange = { action: "create", groupId: id, before: null, name, added: members, removed: [] };
  const feed = await feedOf(db, within, change, unchanged(groups, row, ["id", "version"]), now);
  await writeNamed(db, {
    made: db.orm.insert(groups).values(row),
    audit: audit(db, within, by, "group.created", id, now),
    members: addMembers(db, row, members),
    feed,
  });
  return row;
}

/** False when the group is no longer as it was read. */
export async function updateGroup(
  db: Database,
  current: Group,
  { name, externalId }: GroupInput,
  { added, removed }: { readonly added: readonly number[]; readonly removed: readonly number[] },
  now: number,
  by: By,
): Promise<boolean> {
  const within = { organizationId: current.organizationId, connectionId: current.connectionId };
  const next = { ...current, version: current.version + 1 };
  const change: GroupChange = { action: "update", groupId: current.id, before: current.name, name, added, removed };
  const isWritten = unchanged(groups, next, ["id", "version"]);
  const feed = await feedOf(db, within, change, isWritten, now);
  const { changed } = await writeNamed(db, {
    changed: db.orm.update(groups).set({
      name,
      folded: foldText(name),
      externalId,
      version: next.version,
      updatedAt: now,
    })
      .where(and(isOf(within), eq(groups.id, current.id), eq(groups.version, current.version)))
      .returning({ id: groups.id }),
    audit: audit(db, within, by, "group.changed", current.id, now),
    removed: db.run(sql`delete from ${groupMembers} where group_id = ${current.id} and ${isWritten}
      and user_id in (select u.id from users u where u.id in ${setOf(removed)} or u.merged_into in ${setOf(removed)})`),
    added: addMembers(db, next, added),
    feed,
  });
  return changed.length > 0;
}

/** False when the group is no longer as it was read. */
export async function deleteGroup(db: Database, current: Group, now: number, by: By): Promise<boolean> {
  const within = { organizationId: current.organizationId, connectionId: current.connectionId };
  const { id, name } = current;
  const change: GroupChange = { action: "deactivate", groupId: id, before: name, name, added: [], removed: [] };
  const feed = await feedOf(db, within, change, unchanged(groups, current, ["id", "version"]), now);
  const { gone } = await writeNamed(db, {
    feed,
    members: db.run(sql`delete from ${groupMembers} where group_id = ${id}
      and ${unchanged(groups, current, ["id", "version"])}`),
    gone: db.orm.delete(groups).where(and(isOf(within), eq(groups.id, id), eq(groups.version, current.version)))
      .returning({ id: groups.id }),
    audit: audit(db, within, by, "group.deleted", id, now),
  });
  return gone.length > 0;
}

/** The statements that delete the groups of a connection that ends. */
export function endGroups(db: Database, connectionId: number, condition: SQL): Statement[] {
  return [
    db.run(sql`delete from ${groupMembers} where group_id in (select id from ${groups}
      where connection_id = ${connectionId}) and ${condition}`),
    db.run(sql`delete from ${groups} where connection_id = ${connectionId} and ${condition}`),
  ];
}

function addMembers(db: Database, group: Group, members: readonly number[]): Statement {
  return db.run(sql`insert or ignore into ${groupMembers} (group_id, user_id, organization_id)
    select ${group.id}, value, ${group.organizationId} from json_each(${JSON.stringify(members)})
    where ${unchanged(groups, group, ["id", "version"])}`);
}

async function feedOf(
  db: Database,
  { organizationId }: Within,
  change: GroupChange,
  condition: SQL,
  now: number,
): Promise<Statement[]> {
  const { added, removed } = change;
  const entry = { ...change, added: added.slice(0, NAMED_IN_FEED), removed: removed.slice(0, NAMED_IN_FEED) };
  return (await recordByHand(db, { organizationId, kind: "groups", entry }, condition, now)).statements;
}

function audit(
  db: Database,
  { organizationId }: Within,
  by: By,
  action: "group.created" | "group.changed" | "group.deleted",
  id: number,
  now: number,
): Statement {
  return recordAudit(db, by, { organizationId, action, subjects: [encodeId("grp", id)] }, now);
}

function isOf({ organizationId, connectionId }: Within): SQL {
  return and(eq(groups.organizationId, organizationId), eq(groups.connectionId, connectionId))!;
}

function fromGroups({ organizationId, connectionId }: Within, condition: SQL): SQL {
  return sql`from ${groups} g where g.organization_id = ${organizationId} and g.connection_id = ${connectionId}
    and ${condition}`;
}
