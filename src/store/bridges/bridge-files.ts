/**
 * Files that bridges handed over. A record is written in the batch that seals the drop, so that a file whose taking was
 * not heard of is known when it comes again.
 */
import { and, asc, desc, eq, inArray, isNotNull, isNull, sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { isUniqueViolation } from "../conflict.ts";
import type { WithSeal } from "../runs/drops.ts";
import { cleanAgain } from "../people/erasures.ts";
import { bridgeFiles, bridgeLeases } from "./schema-bridge.ts";
import { runs } from "../runs/schema.ts";
import { DAY_MS } from "../../std/time.ts";

export type BridgeFile = typeof bridgeFiles.$inferSelect;
/** As it is when it is taken; `settledAt` where it stays where it is. */
export type NewBridgeFile = Omit<BridgeFile, "returnedAt">;
export type FileIdentity = Pick<BridgeFile, "connectionId" | "folder" | "name" | "bytes" | "modifiedAt" | "sha256">;

/** How long a file that was put away is remembered; the youngest of each name is remembered for good. */
const REMEMBERED_MS = 30 * DAY_MS;

/** Runs whose outcome will not change any more. */
const ENDED = ["succeeded", "partial", "failed", "cancelled", "superseded", "skipped"] as const;

/** With the seal of its drop. Fails the batch when the very same file was taken and is not settled; isTakenTwice tells. */
export function insertBridgeFile(db: Database, file: NewBridgeFile): WithSeal {
  const { id, organizationId, connectionId, folder, name, bytes, modifiedAt, sha256, dropId, runId, takenAt } = file;
  const { settledAt } = file;
  return (queued) => [
    db.run(sql`insert into ${bridgeFiles}
      (id, organization_id, connection_id, folder, name, bytes, modified_at, sha256, drop_id, run_id, taken_at, settled_at)
      select ${id}, ${organizationId}, ${connectionId}, ${folder}, ${name}, ${bytes}, ${modifiedAt}, ${sha256},
        ${dropId}, ${runId}, ${takenAt}, ${settledAt} where ${queued}`),
  ];
}

export function isTakenTwice(error: unknown): boolean {
  return isUniqueViolation(error, "bridge_files.sha256");
}

/** The same file, taken and not put away. */
export async function findUnsettledTwin(db: Database, file: FileIdentity): Promise<BridgeFile | null> {
  const { connectionId, folder, name, bytes, modifiedAt, sha256 } = file;
  const [row] = await db.orm.select().from(bridgeFiles).where(and(
    eq(bridgeFiles.connectionId, connectionId),
    eq(bridgeFiles.folder, folder),
    eq(bridgeFiles.name, name),
    eq(bridgeFiles.bytes, bytes),
    eq(bridgeFiles.modifiedAt, modifiedAt),
    eq(bridgeFiles.sha256, sha256),
    isNull(bridgeFiles.settledAt),
  ));
  return row ?? null;
}

/** The file that was taken last of those with one of the names: a name may be kept under a key (erased-files.ts). */
export async function findLatestOfName(
  db: Database,
  { connectionId, folder, names }: Pick<FileIdentity, "connectionId" | "folder"> & { names: readonly string[] },
): Promise<BridgeFile | null> {
  const [row] = await db.orm.select().from(bridgeFiles).where(and(
    eq(bridgeFiles.connectionId, connectionId),
    eq(bridgeFiles.folder, folder),
    inArray(bridgeFiles.name, [...names]),
  )).orderBy(desc(bridgeFiles.id)).limit(1);
  return row ?? null;
}

/** A file that was only touched: the same bytes under a new time. */
export async function moveTime(db: Database, file: BridgeFile, modifiedAt: number): Promise<void> {
  await db.write([db.orm.update(bridgeFiles).set({ modifiedAt }).where(eq(bridgeFiles.id, file.id))]);
}

export async function findBridgeFile(db: Database, id: number): Promise<BridgeFile | null> {
  const [row] = await db.orm.select().from(bridgeFiles).where(eq(bridgeFiles.id, id));
  return row ?? null;
}

export async function findFileOfDrop(db: Database, dropId: number): Promise<BridgeFile | null> {
  const [row] = await db.orm.select().from(bridgeFiles).where(eq(bridgeFiles.dropId, dropId));
  return row ?? null;
}

/** Files of the bridge's connections that were taken and not put away. */
export async function listUnsettled(db: Database, bridgeId: number): Promise<BridgeFile[]> {
  return await db.orm.select().from(bridgeFiles)
    .where(and(isNull(bridgeFiles.settledAt), inArray(bridgeFiles.connectionId, heldBy(db, bridgeId))))
    .orderBy(asc(bridgeFiles.id)).limit(1000);
}

/** Settling what is settled changes nothing. `name`: what it is called from then on. */
export async function settleFile(
  db: Database,
  file: BridgeFile,
  now: number,
  by: By = HUB,
  name: string = file.name,
): Promise<void> {
  if (name !== file.name) {
    await db.write([
      db.orm.update(bridgeFiles).set({ name }).where(eq(bridgeFiles.id, file.id)),
      cleanAgain(db, file),
    ]);
  }
  await mark(db, file, "settledAt", { action: "drop.put_away", subject: encodeId("drp", file.dropId) }, now, by);
}

export async function markReturned(db: Database, file: BridgeFile, now: number, by: By = HUB): Promise<void> {
  await mark(db, file, "returnedAt", { action: "report.returned", subject: encodeId("run", file.runId) }, now, by);
}

/** The first time counts. */
async function mark(
  db: Database,
  { id, organizationId, connectionId }: BridgeFile,
  column: "settledAt" | "returnedAt",
  { action, subject }: { action: AuditAction; subject: string },
  now: number,
  by: By,
): Promise<void> {
  await db.write([
    db.orm.update(bridgeFiles).set({ [column]: now }).where(and(eq(bridgeFiles.id, id), isNull(bridgeFiles[column]))),
    recordAudit(db, by, { organizationId, action, subjects: [subject, encodeId("con", connectionId)] }, now),
  ]);
}

export interface Returning {
  readonly file: BridgeFile;
  readonly status: (typeof runs.$inferSelect)["status"];
  readonly errorCode: string | null;
}

/**
 * Files of the bridge's connections whose runs have ended and that something is to be brought back of: a report, or a
 * place in `failed`. Those with nothing to bring back are marked as done by the way.
 */
export async function listReturning(db: Database, bridgeId: number, now: number): Promise<Returning[]> {
  const mine = sql`f.returned_at is null and f.connection_id in
    (select connection_id from ${bridgeLeases} where bridge_id = ${bridgeId})`;
  await db.write([
    db.run(sql`update ${bridgeFiles} set returned_at = ${now} where id in (
      select f.id from ${bridgeFiles} f left join ${runs} r on r.id = f.run_id
      where ${mine} and (r.id is null or (r.status in ${setOf(ENDED)}
        and coalesce(r.error ->> 'code', '') <> 'decryption_failed'
        and not exists (select 1 from issue_pages p where p.run_id = r.id))))`),
  ]);
  const rows = await db.orm.select({ file: bridgeFiles, status: runs.status, error: runs.error }).from(bridgeFiles)
    .innerJoin(runs, eq(runs.id, bridgeFiles.runId)).where(and(
      isNull(bridgeFiles.returnedAt),
      isNotNull(bridgeFiles.settledAt),
      inArray(bridgeFiles.connectionId, heldBy(db, bridgeId)),
      inArray(runs.status, [...ENDED]),
    )).orderBy(asc(bridgeFiles.id)).limit(100);
  return rows.map(({ file, status, error }) => ({ file, status, errorCode: error?.code ?? null }));
}

/** Forgets files that were put away long ago, but for the youngest of each name, and those of connections that are gone. */
export function forgetBridgeFiles(db: Database, now: number): Statement[] {
  return [
    db.run(sql`delete from ${bridgeFiles} where connection_id not in (select id from connections)`),
    db.run(sql`delete from ${bridgeFiles} where settled_at < ${now - REMEMBERED_MS} and id not in
      (select max(id) from ${bridgeFiles} group by connection_id, folder, name)`),
  ];
}

function heldBy(db: Database, bridgeId: number) {
  return db.orm.select({ id: bridgeLeases.connectionId }).from(bridgeLeases)
    .where(eq(bridgeLeases.bridgeId, bridgeId));
}
