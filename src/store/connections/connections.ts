/** Connections as stored: created, found by id or slug, listed, changed, paused. */
import { toHex } from "../../std/hex.ts";
import { and, asc, eq, type SQL, sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { MAX_CONNECTIONS } from "../../model/limits.ts";
import type { CustomField } from "../../model/record.ts";
import { recordAudit } from "../audit.ts";
import { forgetSecrets, type SecretChange, writeSecrets } from "./connection-secrets.ts";
import { isUniqueViolation } from "../conflict.ts";
import { type Database, setOf, type Statement, writeNamed } from "../database.ts";
import { makeCustomFields } from "../people/custom-fields.ts";
import { isNoRoom, whileRoom } from "../room.ts";
import { connections } from "./schema.ts";
import { reserve } from "../sequences.ts";
import { recomputeClock } from "./unwind.ts";
import { unchanged } from "../unchanged.ts";
import { first, listerIn, preparedFinder } from "../reads.ts";
import { moveReferences } from "../versions.ts";
import { updateVersioned } from "../writes.ts";

export type Connection = typeof connections.$inferSelect;
export type ConnectionRef = Pick<Connection, "id" | "organizationId">;

type NewConnection = Omit<typeof connections.$inferInsert, "salt">;

/** What an admin configures. */
export type ConnectionInput = Pick<
  typeof connections.$inferInsert,
  | "slug"
  | "name"
  | "connector"
  | "preset"
  | "settings"
  | "settingsOf"
  | "key"
  | "mapping"
  | "policy"
  | "limits"
  | "schedule"
  | "expectedBy"
  | "technicalContact"
>;

/** The version of its connector that it is pinned to, when it is made; absent: none. */
type Pinned = Partial<Pick<Connection, "connectorVersion" | "connectorDigest">>;

/** Secrets that change with a connection, sealed for it. */
export interface SecretChanges {
  /** Whether all present ones are cleared first, because the connection now sends them to another address. */
  readonly clear: boolean;
  readonly set: readonly SecretChange[];
}

const NO_SECRETS: SecretChanges = { clear: false, set: [] };

/** What is written together with a new connection. */
interface WithNew {
  /** Seals the first secrets, once the id is known. */
  readonly seal?: (id: number) => Promise<readonly SecretChange[]>;
  /** Custom fields that are created with it. */
  readonly fields?: readonly CustomField[];
  readonly also?: (id: number) => readonly Statement[];
}

/** What is written together with a change of a connection. */
interface WithChange {
  readonly secrets?: SecretChanges;
  /** Custom fields that are created with it. */
  readonly fields?: readonly CustomField[];
  /** They must do nothing unless the connection is as it was read, and run before it is changed. */
  readonly also?: readonly Statement[];
}

/** The statement that creates a connection, with its own salt. Its batch fails when the organization has too many. */
export function insertConnection(db: Database, row: NewConnection): Statement & { _: unknown } {
  const taken = sql`select count(*) from ${connections} where organization_id = ${row.organizationId}`;
  const salt = whileRoom(randomSalt(), { taken, most: MAX_CONNECTIONS });
  return db.orm.insert(connections).values({ ...row, salt }).returning();
}

/** Fails with `conflict` when the slug is taken, or the organization has too many connections. */
export async function createConnection(
  db: Database,
  organizationId: number,
  input: ConnectionInput & Pinned,
  now: number,
  by: By = HUB,
  { seal, fields = [], also }: WithNew = {},
): Promise<Connection> {
  const id = await reserve(db, "connection");
  const secrets = await seal?.(id) ?? [];
  try {
    const { made } = await writeNamed(db, {
      made: insertConnection(db, { ...input, id, organizationId, createdAt: now, updatedAt: now }),
      audit: recordConnection(db, by, "connection.created", { id, organizationId }, now),
      secrets: writeSecrets(db, { id, organizationId }, secrets, now),
      secretsAudit: secrets.length === 0 ? [] : [recordConnection(db, by, "secret.set", { id, organizationId }, now)],
      customFields: makeCustomFields(db, organizationId, fields, now, by),
      also: also?.(id) ?? [],
    });
    return made[0]!;
  } catch (error) {
    if (isNoRoom(error, "connections.salt")) {
      const message =
        `The organization has ${MAX_CONNECTIONS} connections; delete one that is not needed any more first`;
      throw new Fault("conflict", message, { cause: error });
    }
    throw slugTaken(error, input.slug);
  }
}

const findById = preparedFinder(connections, ["organizationId", "id"]);
const findBySlug = preparedFinder(connections, ["organizationId", "slug"]);

/** By public id or by slug. */
export async function findConnection(db: Database, organizationId: number, name: string): Promise<Connection | null> {
  const id = decodeId("con", name);
  if (id !== null) return await findConnectionById(db, organizationId, id);
  return await findBySlug(db, { organizationId, slug: name });
}

export async function findConnectionById(db: Database, organizationId: number, id: number): Promise<Connection | null> {
  return await findById(db, { organizationId, id });
}

/** Those of the connections that exist, in one of `organizations` (ids; null: in any). */
export async function listKnown(
  db: Database,
  ids: readonly number[],
  organizations: readonly number[] | null,
): Promise<ReadonlySet<number>> {
  const rows = await db.orm.select({ id: connections.id }).from(connections)
    .where(sql`${connections.id} in ${setOf(ids)}
      and (${organizations === null ? 1 : 0} or ${connections.organizationId} in
        ${setOf(organizations ?? [])})`);
  return new Set(rows.map(({ id }) => id));
}

/** The oldest connection of a connector. */
export async function findConnectionOf(
  db: Database,
  organizationId: number,
  connector: string,
): Promise<Connection | null> {
  return await first(
    db.orm.select().from(connections)
      .where(and(eq(connections.organizationId, organizationId), eq(connections.connector, connector)))
      .orderBy(asc(connections.id)).limit(1),
  );
}

export const listConnections = listerIn(connections);

/** How many connections the organization has of each connector that it uses. */
export async function countByConnector(db: Database, organizationId: number): Promise<ReadonlyMap<string, number>> {
  return new Map(
    await db.rows<[string, number]>(sql`select connector, count(*) from ${connections}
      where organization_id = ${organizationId} group by connector`),
  );
}

/** Null when `current` is no longer what is stored. What decides the meaning of a row moves settingsVersion. */
export async function updateConnection(
  db: Database,
  current: Connection,
  changes: Partial<Omit<ConnectionInput, "connector">>,
  now: number,
  by: By = HUB,
  { secrets = NO_SECRETS, fields = [], also = [] }: WithChange = {},
): Promise<Connection | null> {
  const rereads = (["preset", "settings", "key", "mapping", "policy"] as const).some((name) =>
    changes[name] !== undefined
  );
  const isCurrent = unchanged(connections, current, ["id", "version"]);
  const reorders = changes.policy !== undefined && changes.policy.priority !== current.policy.priority;
  const settingsVersion = rereads ? { settingsVersion: sql`${connections.settingsVersion} + 1` } : {};
  try {
    return await updateVersioned(db, connections, current, { ...changes, ...settingsVersion, updatedAt: now }, {
      before: [
        ...makeCustomFields(db, current.organizationId, fields, now, by, isCurrent),
        ...(reorders ? [moveReferences(db, current.organizationId, isCurrent)] : []),
        ...(secrets.clear ? [forgetSecrets(db, current.id, isCurrent)] : []),
        ...writeSecrets(db, current, secrets.set, now, isCurrent),
        ...(secrets.set.length === 0 ? [] : [recordConnection(db, by, "secret.set", current, now)]),
        // The cause of failures may be gone, so the schedule of a failing connection is computed again.
        ...(rereads || secrets.set.length > 0 ? [recomputeClock(db, current, now, isCurrent)] : []),
        ...also,
      ],
      after: [recordConnection(db, by, "connection.changed", current, now)],
    });
  } catch (error) {
    throw slugTaken(error, changes.slug);
  }
}

/** Runs of a paused connection wait. As setPaused. */
export function pauseConnection(db: Database, current: Connection, now: number, by: By = HUB) {
  return setPaused(db, current, true, now, by);
}

/** As setPaused. */
export function resumeConnection(db: Database, current: Connection, now: number, by: By = HUB) {
  return setPaused(db, current, false, now, by);
}

/** Changes nothing when it is so already. Null when `current` is no longer what is stored. */
async function setPaused(
  db: Database,
  current: Connection,
  paused: boolean,
  now: number,
  by: By,
): Promise<Connection | null> {
  if (paused === (current.pausedAt !== null)) return current;
  const after = [recordConnection(db, by, paused ? "connection.paused" : "connection.resumed", current, now)];
  return await updateVersioned(db, connections, current, { pausedAt: paused ? now : null, updatedAt: now }, { after });
}

/** Records that an admin checked the connection's source: its secrets were used, and nothing was changed. */
export async function recordCheck(db: Database, connection: Connection, now: number, by: By): Promise<void> {
  await db.write([recordConnection(db, by, "connection.checked", connection, now, sql`1`)]);
}

/** As recordAudit, about one connection. */
export function recordConnection(
  db: Database,
  by: By,
  action: AuditAction,
  { id, organizationId }: ConnectionRef,
  now: number,
  condition?: SQL,
): Statement {
  return recordAudit(db, by, { organizationId, action, subjects: [encodeId("con", id)] }, now, condition);
}

function slugTaken(error: unknown, slug: string | undefined): unknown {
  if (!isUniqueViolation(error, "connections.slug")) return error;
  return new Fault("conflict", `There is already a connection "${slug}"`, { cause: error });
}

function randomSalt(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)));
}
