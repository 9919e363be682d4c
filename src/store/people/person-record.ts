/** What is stored of one person beside the user and its history, for the record of all that is kept. Reads only. */
import { and, asc, eq, sql } from "drizzle-orm";
import { encodeId } from "../../model/id.ts";
import { connections } from "../connections/schema.ts";
import { type Database, setOf } from "../database.ts";
import type { Event } from "../notify/events.ts";
import { events } from "../notify/schema-events.ts";
import { deliveries } from "../notify/schema-webhooks.ts";
import { matches } from "../unchanged.ts";
import { groupMembers, groups, scimUsers } from "../scim/schema.ts";
import { links, pendingManagers } from "./schema.ts";
import { identityDecisions } from "./schema-identities.ts";
import type { User } from "./users.ts";

type Person = Pick<User, "id" | "organizationId">;

/** The person's links, each with the manager that its connection names and that is not known. */
export async function listLinksOf(db: Database, { id, organizationId }: Person) {
  return await db.orm.select({ link: links, manager: pendingManagers }).from(links)
    .innerJoin(connections, eq(connections.id, links.connectionId))
    .leftJoin(
      pendingManagers,
      and(eq(pendingManagers.userId, links.userId), eq(pendingManagers.connectionId, links.connectionId)),
    )
    .where(and(eq(links.userId, id), eq(connections.organizationId, organizationId)))
    .orderBy(asc(links.connectionId), asc(links.sourceKey));
}

/** What the providers of connections have made of the person, each with its groups. */
export async function listScimOf(db: Database, { id, organizationId }: Person) {
  const resources = await db.orm.select({ resource: scimUsers }).from(scimUsers)
    .innerJoin(links, and(eq(links.connectionId, scimUsers.connectionId), eq(links.sourceKey, scimUsers.sourceKey)))
    .where(and(eq(links.userId, id), eq(scimUsers.organizationId, organizationId)))
    .orderBy(asc(scimUsers.connectionId));
  const own = await db.orm.select({ id: groups.id, name: groups.name, connectionId: groups.connectionId }).from(groups)
    .innerJoin(groupMembers, eq(groupMembers.groupId, groups.id))
    .where(and(eq(groupMembers.userId, id), eq(groups.organizationId, organizationId))).orderBy(asc(groups.id));
  return resources.map(({ resource }) => ({
    resource,
    groups: own.filter(({ connectionId }) => connectionId === resource.connectionId),
  }));
}

export async function listDecisionsOf(db: Database, { id: userId, organizationId }: Person) {
  return await db.orm.select().from(identityDecisions).where(matches(identityDecisions, { organizationId, userId }))
    .orderBy(asc(identityDecisions.id));
}

/** Ids of the people whose manager the person is, a thousand at a time. */
export async function* readReportsOf(db: Database, { id, organizationId }: Person): AsyncGenerator<number> {
  for (let after = 0;;) {
    const ids = (await db.rows<[number]>(sql`select id from users where organization_id = ${organizationId}
      and manager_id = ${id} and id > ${after} order by id limit 1000`)).flat();
    yield* ids;
    if (ids.length < 1000) return;
    after = ids.at(-1)!;
  }
}

/** Since when the person has been inactive; null: they are active. */
export async function leftSince(db: Database, { id }: Person): Promise<number | null> {
  const [row] = await db.rows<[number]>(sql`select since from leavers where user_id = ${id}`);
  return row?.[0] ?? null;
}

/** Events read at once. */
const WINDOW = 50;

/** Events that have the person's id, the oldest first, each with its deliveries. */
export async function* readEventsOf(
  db: Database,
  { id, organizationId }: Person,
): AsyncGenerator<{ readonly event: Event; readonly deliveries: readonly (typeof deliveries.$inferSelect)[] }> {
  const named = `"${encodeId("usr", id)}"`;
  for (let after = 0;;) {
    const some = await db.orm.select().from(events).where(sql`${events.organizationId} = ${organizationId}
      and ${events.id} > ${after} and instr(${events.data}, ${named}) > 0`).orderBy(asc(events.id)).limit(WINDOW);
    const sent = await db.orm.select().from(deliveries).where(sql`${deliveries.organizationId} = ${organizationId}
      and ${deliveries.eventId} in ${setOf(some.map((event) => event.id))}`).orderBy(asc(deliveries.id));
    for (const event of some) yield { event, deliveries: sent.filter(({ eventId }) => eventId === event.id) };
    if (some.length < WINDOW) return;
    after = some.at(-1)!.id;
  }
}
