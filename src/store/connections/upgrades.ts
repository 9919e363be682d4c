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
  const reads = sql`(select reads from ${connectionClocks} where connection_id = ${id})`;
  return await writeVersion(db, current, next, "connection.upgraded", now, by, [
    db.run(sql`insert or replace into ${connectionUpgrades} (connection_id, organization_id, version, digest, settings,
        settings_after, renamed, reads, settings_version, upgraded_at)
      select ${id}, ${organizationId}, ${current.connectorVersion}, ${current.connectorDigest},
        ${JSON.stringify(current.settings)}, ${JSON.stringify(next.settings)}, ${JSON.stringify(renamed)}, ${reads},
        ${settingsVersion}, ${now} where ${idle}`),
    ...(["users", "departments"] as const).map((entity) => carryRead(db, current, entity, idle)),
  ]);
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
  const { version, digest, settings } = former;
  const reads = Object.fromEntries(
    Object.entries(former.reads ?? {}).flatMap(([entity, read]) =>
      read?.settingsVersion === former.settingsVersion
        ? [[entity, { ...read, settingsVersion: current.settingsVersion + 1 }]]
        : []
    ),
  );
  return await writeVersion(db, current, { version, digest, settings, secrets }, "connection.upgrade_undone", now, by, [
    db.orm.update(connectionClocks).set({ reads })
      .where(and(matches(connectionClocks, { connectionId: current.id }), idle)),
    db.orm.delete(connectionUpgrades).where(and(matches(connectionUpgrades, { connectionId: current.id }), idle)),
  ]);
}

/** The statements of `also` come first, and have to do nothing unless the connection is idle and as it was read. */
async function writeVersion(
  db: Database,
  current: Connection,
  { version, digest, settings, secrets }: NextVersion,
  action: "connection.upgraded" | "connection.upgrade_undone",
  now: number,
  by: By,
  also: readonly Statement[],
): Promise<Connection | null> {
  const idle = isIdle(db, current);
  const { changed } = await writeNamed(db, {
    also,
    secrets: writeSecrets(db, current, secrets, now, idle),
    clock: recomputeClock(db, current, now, idle),
    changed: db.orm.update(connections).set({
      connectorVersion: version,
      connectorDigest: digest,
      settings: { ...settings },
      settingsVersion: current.settingsVersion + 1,
      version: current.version + 1,
      updatedAt: now,
    }).where(and(matches(connections, { id: current.id }), idle)).returning(),
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

/** The last read stays good for the new settings: its state knows the version that saved it, and the next fetch migrates it. */
function carryRead(
  db: Database,
  { id, settingsVersion }: Connection,
  entity: "users" | "departments",
  condition: SQL,
): Statement {
  const path = `$.${entity}.settingsVersion`;
  return db.run(sql`update ${connectionClocks} set reads = json_set(reads, ${path}, ${settingsVersion + 1})
    where connection_id = ${id} and reads ->> ${path} = ${settingsVersion} and ${condition}`);
}
