/** What is stored of where a user's values come from, beside the user and its history. Reads only. */
import { and, asc, eq, sql } from "drizzle-orm";
import { encodeId } from "../../model/id.ts";
import { connections } from "../connections/schema.ts";
import { type Database, setOf } from "../database.ts";
import { links } from "./schema.ts";

/** Where a run read its input. `drop`: the file's name; null: it read none, or the drop is deleted. */
export interface RunOrigin {
  readonly connectionId: number;
  readonly trigger: string;
  readonly drop: string | null;
}

/** By id of the run. */
export async function loadRunOrigins(
  db: Database,
  organizationId: number,
  runIds: readonly number[],
): Promise<ReadonlyMap<number, RunOrigin>> {
  if (runIds.length === 0) return new Map();
  const rows = await db.rows<[number, number, string, string | null]>(sql`
    select r.id, r.connection_id, r.trigger, d.name from runs r left join drops d on d.id = r.drop_id
    where r.organization_id = ${organizationId} and r.id in ${setOf(runIds)}`);
  return new Map(rows.map(([id, connectionId, trigger, drop]) => [id, { connectionId, trigger, drop }]));
}

/** Who made a change by hand. */
export interface Hand {
  readonly kind: string;
  readonly id: string | null;
  readonly name: string | null;
}

/** Who changed the user by hand at these instants (milliseconds since 1970), as the audit has it. */
export async function loadHands(
  db: Database,
  organizationId: number,
  userId: number,
  instants: readonly number[],
): Promise<ReadonlyMap<number, Hand>> {
  if (instants.length === 0) return new Map();
  const rows = await db.rows<[number, string, string | null, string | null]>(sql`
    select at, actor_kind, actor_id, actor_name from audit_entries
    where organization_id = ${organizationId} and at in ${setOf(instants)} and subjects ->> '$[0]' = ${
    encodeId("usr", userId)
  }`);
  return new Map(rows.map(([at, kind, id, name]) => [at, { kind, id, name }]));
}

/** What a connection says of a user that is not the user's value: field → value. */
export interface OtherWord {
  readonly connectionId: number;
  readonly values: Readonly<Record<string, string>>;
}

export async function loadOtherWords(db: Database, organizationId: number, userId: number): Promise<OtherWord[]> {
  const rows = await db.orm.select({ connectionId: links.connectionId, values: links.withheld }).from(links)
    .innerJoin(connections, eq(connections.id, links.connectionId))
    .where(and(eq(links.userId, userId), eq(connections.organizationId, organizationId)))
    .orderBy(asc(links.connectionId));
  return rows.flatMap(({ connectionId, values }) => values === null ? [] : [{ connectionId, values }]);
}
