/**
 * Upgrades of connections to another version of their connector, as stored: each is one batch, and what the connection was
 * before the last one is kept.
 */
import { and, exists, isNotNull, isNull, not, type SQL, sql } from "drizzle-orm";
import { type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import type { RunUpgrade } from "../../model/run.ts";
import { recordAudit } from "../audit.ts";
import { type Database, type Statement, writeNamed } from "../database.ts";
import { findRow, first } from "../reads.ts";
import { hasContent } from "../runs/drop-content.ts";
import { type Drop, findDrop } from "../runs/drops.ts";
import { findRun, queueRun, type Run, selectAtWork, writeQueueing } from "../runs/runs.ts";
import { reserve } from "../sequences.ts";
import { matches, unchanged } from "../unchanged.ts";
import { type SecretChange, writeSecrets } from "./connection-secrets.ts";
import { type Connection, recordConnection } from "./connections.ts";
import { connectionClocks, connectionUpgrades, fetches } from "./schema-sources.ts";
import { connections } from "./schema.ts";
import { recomputeClock } from "./unwind.ts";

/** What a connection was before its last upgrade. */
export type Former = typeof connectionUpgrades.$inferSelect;

/** What the connection becomes. */
export interface NextVersion {
  readonly version: string;
  readonly digest: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly secrets: readonly SecretChange[];
}

/** As NextVersion, for a connection that is pinned to no version. */
export type FollowedVersion = Omit<NextVersion, "digest">;

/** Null: the connection was not upgraded, or has gone back already. */
export async function findFormer(db: Database, { id, organizationId }: Connection): Promise<Former | null> {
  return await findRow(db, connectionUpgrades, { connectionId: id, organizationId });
}

/** The last input of people that was applied, or else of departments, while its rows are retained. */
export async function findLastInput(
  db: Database,
  { organizationId, lastApplied }: Connection,
): Promise<{ readonly run: Run; readonly drop: Drop } | null> {
  const last = lastApplied.users ?? lastApplied.departments;
  const run = last === undefined ? null : (await findRun(db, organizationId, last.run))?.run ?? null;
  if (run === null || run.dropId === null) return null;
  const drop = await findDrop(db, organizationId, run.dropId);
  return drop === null || drop.sealedAt === null || !await hasContent(db, drop) ? null : { run, drop };
}

/** Queues the run that shows what the upgrade would change. `last`: the run whose input it reads. Fails with `queue_full`. */
export async function queueUpgradePlan(
  db: Database,
  { id: connectionId, organizationId }: Connection,
  last: Run,
  upgrade: RunUpgrade,
  { requestId, now, by }: { requestId: string | null; now: number; by: By },
): Promise<number> {
  const id = await reserve(db, "run");
  const { dropId, entity, coverage } = last;
  const run = { id, organizationId, connectionId, dropId, trigger: "upgrade", mode: "plan", entity, coverage } as const;
  const subjects = [encodeId("con", connectionId), encodeId("run", id)];
  await writeQueueing(db, {
    queued: queueRun(db, { ...run, requestId, upgrade }, now),
    audit: recordAudit(db, by, { organizationId, action: "run.requested", subjects }, now),
  });
  return id;
}

/** Whether one of its runs plans or applies now, or its source is being read. */
export async function isBusy(db: Database, { id }: Connection): Promise<boolean> {
  return await first(selectAtWork(db, { connectionId: id }).limit(1)) !== null ||
    await first(selectReading(db, id).limit(1)) !== null;
}

function selectReading(db: Database, connectionId: number) {
  return db.orm.select({ id: fetches.runId }).from(fetches)
    .where(and(matches(fetches, { connectionId }), isNull(fetches.endedAt), isNotNull(fetches.owner)));
}

/**
 * Upgrades the connection and keeps what it was; `renamed` as in Former. Null when `current` is no longer what is stored, or
 * the connection is busy.
 */
export async function upgradeConnection(
  db: Database,
  current: Connection,
  next: NextVersion,
  renamed: Readonly<Record<string, string>>,
  now: number,
  by: By = HUB,
): Promise<Connection | null> {
  const { id, organizationId, settingsVersion } = current;
  const idle = isIdle(db, current);
  const { version: connectorVersion, digest: connectorDigest, settings, secrets } = next;
  const becomes = { connectorVersion, connectorDigest, settings: { ...settings } };
  const reads = sql`(select reads from ${connectionClocks} where connection_id = ${id})`;
  const also = [
    db.run(sql`insert or replace into ${connectionUpgrades} (connection_id, organization_id, version, digest, settings,
        settings_after, renamed, reads, settings_version, upgraded_at)
      select ${id}, ${organizationId}, ${current.connectorVersion}, ${current.connectorDigest},
        ${JSON.stringify(current.settings)}, ${JSON.stringify(next.settings)}, ${JSON.stringify(renamed)}, ${reads},
        ${settingsVersion}, ${now} where ${idle}`),
    ...carryReads(db, current, idle),
  ];
  return await writeVersion(db, current, idle, { becomes, secrets, action: "connection.upgraded", also }, now, by);
}

/**
 * Gives the connection back what it was, and the state of its reads. Null when `current` is no longer what is stored, or the
 * connection is busy.
 */
export async function undoUpgrade(
  db: Database,
  current: Connection,
  former: Former,
  secrets: readonly SecretChange[],
  now: number,
  by: By = HUB,
): Promise<Connection | null> {
  const idle = isIdle(db, current);
  const { version: connectorVersion, digest: connectorDigest, settings } = former;
  const becomes = { connectorVersion, connectorDigest, settings };
  const reads = Object.fromEntries(
    Object.entries(former.reads ?? {}).flatMap(([entity, read]) =>
      read?.settingsVersion === former.settingsVersion
        ? [[entity, { ...read, settingsVersion: current.settingsVersion + 1 }]]
        : []
    ),
  );
  const also = [
    db.orm.update(connectionClocks).set({ reads })
      .where(and(matches(connectionClocks, { connectionId: current.id }), idle)),
    db.orm.delete(connectionUpgrades).where(and(matches(connectionUpgrades, { connectionId: current.id }), idle)),
  ];
  return await writeVersion(
    db,
    current,
    idle,
    { becomes, secrets, action: "connection.upgrade_undone", also },
    now,
    by,
  );
}

/** Which versions the settings of connections are of that follow the connector of this name. Of all organizations. */
export async function listFollowed(db: Database, connector: string): Promise<(string | null)[]> {
  const { settingsOf } = connections;
  const rows = await db.orm.selectDistinct({ settingsOf }).from(connections).where(follows(connector));
  return rows.map((row) => row.settingsOf);
}

/** Connections that follow the connector and have settings of this version. Of all organizations. */
export async function listFollowers(db: Database, connector: string, of: string | null): Promise<Connection[]> {
  return await db.orm.select().from(connections).where(
    and(follows(connector), matches(connections, { settingsOf: of })),
  );
}

/** Records that settings of a version are those of another one as well. They stay as they are. */
export async function keepSettings(db: Database, connector: string, of: string | null, version: string): Promise<void> {
  await db.write([
    db.orm.update(connections).set({ settingsOf: version })
      .where(and(follows(connector), matches(connections, { settingsOf: of }))),
  ]);
}

function follows(connector: string): SQL {
  return matches(connections, { connector, connectorDigest: null });
}

/**
 * Gives a connection that follows its connector settings and secrets of another version. A run at work does not stop this:
 * the version that it began with is gone already. Null when `current` is no longer what is stored.
 */
export async function followVersion(
  db: Database,
  current: Connection,
  { version, settings, secrets }: FollowedVersion,
  now: number,
): Promise<Connection | null> {
  const asRead = unchanged(connections, current, ["id", "version"]);
  const becomes = { settingsOf: version, settings: { ...settings } };
  const also = carryReads(db, current, asRead);
  return await writeVersion(db, current, asRead, { becomes, secrets, action: "connection.upgraded", also }, now, HUB);
}

interface VersionChange {
  readonly becomes: Partial<Pick<Connection, "connectorVersion" | "connectorDigest" | "settings" | "settingsOf">>;
  readonly secrets: readonly SecretChange[];
  readonly action: "connection.upgraded" | "connection.upgrade_undone";
  /** Come first, and have to do nothing unless the condition holds. */
  readonly also: readonly Statement[];
}

/** Does nothing unless `condition` holds, and gives null then. */
async function writeVersion(
  db: Database,
  current: Connection,
  condition: SQL,
  { becomes, secrets, action, also }: VersionChange,
  now: number,
  by: By,
): Promise<Connection | null> {
  const { changed } = await writeNamed(db, {
    also,
    secrets: writeSecrets(db, current, secrets, now, condition),
    clock: recomputeClock(db, current, now, condition),
    changed: db.orm.update(connections).set({
      ...becomes,
      settingsVersion: current.settingsVersion + 1,
      version: current.version + 1,
      updatedAt: now,
    }).where(and(matches(connections, { id: current.id }), condition)).returning(),
    audit: recordConnection(db, by, action, current, now),
  });
  return changed[0] ?? null;
}

function isIdle(db: Database, current: Connection): SQL {
  return and(
    unchanged(connections, current, ["id", "version"]),
    not(exists(selectAtWork(db, { connectionId: current.id }))),
    not(exists(selectReading(db, current.id))),
  )!;
}

/** The last reads stay good for the new settings: a state knows the version that saved it, and the next fetch migrates it. */
function carryReads(db: Database, { id, settingsVersion }: Connection, condition: SQL): Statement[] {
  return ["users", "departments"].map((entity) => {
    const path = `$.${entity}.settingsVersion`;
    return db.run(sql`update ${connectionClocks} set reads = json_set(reads, ${path}, ${settingsVersion + 1})
      where connection_id = ${id} and reads ->> ${path} = ${settingsVersion} and ${condition}`);
  });
}
