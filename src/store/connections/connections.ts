/** Connections as stored: made, named by id or slug, changed, paused, deleted. */
import { toHex } from "../../std/hex.ts";
import { and, asc, eq, exists, gt, inArray, not, type SQL, sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { MAX_CONNECTIONS } from "../../model/limits.ts";
import type { CustomField } from "../../model/record.ts";
import { recordAudit } from "../audit.ts";
import { deleteKeysOf } from "./pgp-keys.ts";
import { type NewEvent, runCompleted } from "../../model/event.ts";
import { forgetSecrets, type SecretChange, writeSecrets } from "./connection-secrets.ts";
import { isUniqueViolation } from "../conflict.ts";
import { type Database, prepared, setOf, type Statement, writeNamed } from "../database.ts";
import { eventStatements, runIs } from "../notify/events.ts";
import { viewRun } from "../runs/runs.ts";
import { makeCustomFields } from "../people/custom-fields.ts";
import { isNoRoom, whileRoom } from "../room.ts";
import { connections } from "./schema.ts";
import { links, pendingManagers } from "../people/schema.ts";
import { runs } from "../runs/schema.ts";
import { organizations } from "../schema.ts";
import { authorizations, connectionClocks } from "./schema-sources.ts";
import { reserve } from "../sequences.ts";
import { removeSftpLogin } from "../bridges/sftp-logins.ts";
import { unwind } from "./unwind.ts";
import { isAsRead, unchanged } from "../unchanged.ts";

export type Connection = typeof connections.$inferSelect;

type NewConnection = Omit<typeof connections.$inferInsert, "salt">;

/** What a person decides about a connection. */
export type ConnectionInput = Pick<
  typeof connections.$inferInsert,
  | "slug"
  | "name"
  | "connector"
  | "preset"
  | "settings"
  | "key"
  | "mapping"
  | "policy"
  | "limits"
  | "schedule"
  | "expectedBy"
>;

/** Secrets that change with a connection, sealed for it. */
export interface SecretChanges {
  /** Whether all that are set are cleared first, as where they go has changed. */
  readonly clear: boolean;
  readonly set: readonly SecretChange[];
}

const NO_SECRETS: SecretChanges = { clear: false, set: [] };

/** The statement that makes a connection, with a salt of its own. Its batch fails where the organization has too many. */
export function insertConnection(db: Database, row: NewConnection): Statement & { _: unknown } {
  const taken = sql`select count(*) from ${connections} where organization_id = ${row.organizationId}`;
  const salt = whileRoom(randomSalt(), { taken, most: MAX_CONNECTIONS });
  return db.orm.insert(connections).values({ ...row, salt }).returning();
}

/**
 * Fails with `conflict` when the slug is taken, or the organization has too many. `seal`: the secrets it begins with, once its id is known. `fields`: custom
 * fields that are made with it.
 */
export async function createConnection(
  db: Database,
  organizationId: number,
  input: ConnectionInput,
  now: number,
  by: By = HUB,
  seal: (id: number) => Promise<readonly SecretChange[]> = () => Promise.resolve([]),
  fields: readonly CustomField[] = [],
): Promise<Connection> {
  const id = await reserve(db, "connection");
  const secrets = await seal(id);
  try {
    const { made } = await writeNamed(db, {
      made: insertConnection(db, { ...input, id, organizationId, createdAt: now, updatedAt: now }),
      audit: recordConnection(db, by, "connection.created", { id, organizationId }, now),
      secrets: writeSecrets(db, { id, organizationId }, secrets, now),
      secretsAudit: secrets.length === 0 ? [] : [recordConnection(db, by, "secret.set", { id, organizationId }, now)],
      customFields: makeCustomFields(db, organizationId, fields, now, by),
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

const bySlug = prepared((orm) =>
  orm.select().from(connections).where(and(
    eq(connections.organizationId, sql.placeholder("organizationId")),
    eq(connections.slug, sql.placeholder("slug")),
  )).prepare()
);
const byId = prepared((orm) =>
  orm.select().from(connections).where(and(
    eq(connections.organizationId, sql.placeholder("organizationId")),
    eq(connections.id, sql.placeholder("id")),
  )).prepare()
);

/** By public id or by slug. */
export async function findConnection(db: Database, organizationId: number, name: string): Promise<Connection | null> {
  const id = decodeId("con", name);
  if (id !== null) return await findConnectionById(db, organizationId, id);
  const [row] = await bySlug(db).all({ organizationId, slug: name });
  return row ?? null;
}

export async function findConnectionById(db: Database, organizationId: number, id: number): Promise<Connection | null> {
  const [row] = await byId(db).all({ organizationId, id });
  return row ?? null;
}

/** Which of these there are, in any of `organizations` (their ids; null: in whichever). */
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
  const [row] = await db.orm.select().from(connections)
    .where(and(eq(connections.organizationId, organizationId), eq(connections.connector, connector)))
    .orderBy(asc(connections.id)).limit(1);
  return row ?? null;
}

export async function listConnections(
  db: Database,
  organizationId: number,
  page: { after: number; limit: number },
): Promise<Connection[]> {
  return await db.orm.select().from(connections)
    .where(and(eq(connections.organizationId, organizationId), gt(connections.id, page.after)))
    .orderBy(asc(connections.id)).limit(page.limit);
}

/**
 * Null when `current` is no longer what is stored. What decides the meaning of a row moves settingsVersion. `fields`:
 * custom fields that are made with the change.
 */
export async function updateConnection(
  db: Database,
  current: Connection,
  changes: Partial<Omit<ConnectionInput, "connector">>,
  now: number,
  by: By = HUB,
  secrets: SecretChanges = NO_SECRETS,
  fields: readonly CustomField[] = [],
): Promise<Connection | null> {
  const rereads = (["preset", "settings", "key", "mapping", "policy"] as const).some((name) =>
    changes[name] !== undefined
  );
  const isCurrent = unchanged(connections, current, ["id", "version"]);
  const reorders = changes.policy !== undefined && changes.policy.priority !== current.policy.priority;
  try {
    const rows = await writeIfCurrent(db, current, {
      ...changes,
      ...(rereads ? { settingsVersion: sql`${connections.settingsVersion} + 1` } : {}),
      updatedAt: now,
    }, {
      before: [
        ...makeCustomFields(db, current.organizationId, fields, now, by, isCurrent),
        ...(reorders ? [bumpReferences(db, current.organizationId, isCurrent)] : []),
        ...(secrets.clear ? [forgetSecrets(db, current.id, isCurrent)] : []),
        ...writeSecrets(db, current, secrets.set, now, isCurrent),
        ...(secrets.set.length === 0 ? [] : [recordConnection(db, by, "secret.set", current, now)]),
        // What stood in the way may be gone: a connection that fails is tried again by its schedule.
        ...(rereads || secrets.set.length > 0 ? [unwind(db, current, now, isCurrent)] : []),
      ],
      after: [recordConnection(db, by, "connection.changed", current, now)],
    });
    return rows[0] ?? null;
  } catch (error) {
    throw slugTaken(error, changes.slug);
  }
}

/**
 * Runs of a paused connection wait. Pausing what is paused changes nothing. Null when `current` is no longer what is
 * stored.
 */
export async function pauseConnection(
  db: Database,
  current: Connection,
  now: number,
  by: By = HUB,
): Promise<Connection | null> {
  if (current.pausedAt !== null) return current;
  const rows = await writeIfCurrent(db, current, { pausedAt: now, updatedAt: now }, {
    before: [],
    after: [recordConnection(db, by, "connection.paused", current, now)],
  });
  return rows[0] ?? null;
}

/** Null when `current` is no longer what is stored. */
export async function resumeConnection(
  db: Database,
  current: Connection,
  now: number,
  by: By = HUB,
): Promise<Connection | null> {
  if (current.pausedAt === null) return current;
  const rows = await writeIfCurrent(db, current, { pausedAt: null, updatedAt: now }, {
    before: [],
    after: [recordConnection(db, by, "connection.resumed", current, now)],
  });
  return rows[0] ?? null;
}

/** Somebody has looked at the connection's source: secrets of it were used, and nothing else has happened. */
export async function recordCheck(db: Database, connection: Connection, now: number, by: By): Promise<void> {
  const { id, organizationId } = connection;
  const note = { organizationId, action: "connection.checked", subjects: [encodeId("con", id)] } as const;
  await db.write([recordAudit(db, by, note, now, sql`1`)]);
}

/**
 * Deletes the connection and its links; its people stay, its waiting runs are cancelled.
 * False when `current` is no longer what is stored, or one of its runs is at work.
 */
export async function deleteConnection(
  db: Database,
  current: Connection,
  now: number,
  by: By = HUB,
): Promise<boolean> {
  const idle = and(
    unchanged(connections, current, ["id", "version"]),
    not(exists(
      db.orm.select({ one: sql`1` }).from(runs)
        .where(and(eq(runs.connectionId, current.id), inArray(runs.status, ["planning", "applying"]))),
    )),
  )!;
  const waiting = await db.orm.select().from(runs)
    .where(and(eq(runs.connectionId, current.id), inArray(runs.status, ["queued", "planned", "held"])));
  const news = waiting.map((run): NewEvent =>
    runCompleted(
      { organizationId: current.organizationId, runId: run.id, connectionId: current.id },
      viewRun({ run: { ...run, status: "cancelled", finishedAt: now }, connection: current, drop: null }),
    )
  );
  const { deleted } = await writeNamed(db, {
    links: db.orm.delete(links).where(and(eq(links.connectionId, current.id), idle)),
    pendingManagers: db.orm.delete(pendingManagers).where(and(eq(pendingManagers.connectionId, current.id), idle)),
    secrets: forgetSecrets(db, current.id, idle),
    connectionClocks: db.orm.delete(connectionClocks).where(and(eq(connectionClocks.connectionId, current.id), idle)),
    authorizations: db.orm.delete(authorizations).where(and(eq(authorizations.connectionId, current.id), idle)),
    runs: db.orm.update(runs).set({ status: "cancelled", finishedAt: now })
      .where(and(eq(runs.connectionId, current.id), inArray(runs.status, ["queued", "planned", "held"]), idle)),
    references: bumpReferences(db, current.organizationId, idle),
    deleted: db.orm.delete(connections).where(and(eq(connections.id, current.id), idle)).returning({
      id: connections.id,
    }),
    audit: recordConnection(db, by, "connection.deleted", current, now),
    events: eventStatements(db, news, now, runIs("cancelled")),
    sftpLogin: removeSftpLogin(
      db,
      current.id,
      not(exists(db.orm.select({ one: sql`1` }).from(connections).where(eq(connections.id, current.id)))),
    ),
    pgpKeys: deleteKeysOf(db, current.id),
  });
  return deleted.length > 0;
}

/** Whether one of its runs plans or applies now. */
export async function isAtWork(db: Database, current: Connection): Promise<boolean> {
  const [row] = await db.orm.select({ id: runs.id }).from(runs)
    .where(and(eq(runs.connectionId, current.id), inArray(runs.status, ["planning", "applying"]))).limit(1);
  return row !== undefined;
}

function bumpReferences(db: Database, organizationId: number, condition: SQL): Statement {
  return db.orm.update(organizations).set({
    referenceVersion: sql`${organizations.referenceVersion} + 1`,
    dataVersion: sql`${organizations.dataVersion} + 1`,
  }).where(and(eq(organizations.id, organizationId), condition));
}

async function writeIfCurrent(
  db: Database,
  current: Connection,
  set: Record<string, unknown>,
  { before, after }: { before: Statement[]; after: Statement[] },
): Promise<Connection[]> {
  const { changed } = await writeNamed(db, {
    before,
    changed: db.orm.update(connections).set({ ...set, version: current.version + 1 })
      .where(isAsRead(connections, current, ["id", "version"])).returning(),
    after,
  });
  return changed;
}

function recordConnection(
  db: Database,
  by: By,
  action: AuditAction,
  { id, organizationId }: Pick<Connection, "id" | "organizationId">,
  now: number,
): Statement {
  return recordAudit(db, by, { organizationId, action, subjects: [encodeId("con", id)] }, now);
}

function slugTaken(error: unknown, slug: string | undefined): unknown {
  if (!isUniqueViolation(error, "connections.slug")) return error;
  return new Fault("conflict", `There is already a connection "${slug}"`, { cause: error });
}

function randomSalt(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)));
}
