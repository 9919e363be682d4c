/**
 * Files that bridges sent. A record is written in the batch that seals the drop, so that the file is recognized if the
 * bridge misses the answer and sends it again.
 */
import { and, asc, desc, eq, inArray, isNotNull, isNull, type SQL, sql } from "drizzle-orm";
import { type AuditAction, type By, HUB } from "../../model/audit.ts";
import { encodeId } from "../../model/id.ts";
import { recordAudit } from "../audit.ts";
import { type Database, insertIf, type Statement } from "../database.ts";
import { isUniqueViolation } from "../conflict.ts";
import type { WithSeal } from "../runs/drops.ts";
import { cleanAgain } from "../people/erasures.ts";
import { leasedTo } from "./bridge-leases.ts";
import { bridgeFiles, bridgeLeases } from "./schema-bridge.ts";
import { findRow, first } from "../reads.ts";
import { runs } from "../runs/schema.ts";
import { DAY_MS } from "../../std/time.ts";

export type BridgeFile = typeof bridgeFiles.$inferSelect;
/** A file that is taken now; `settledAt` is set if it is not moved afterwards. */
export type NewBridgeFile = Omit<BridgeFile, "returnedAt">;
export type FileIdentity = Pick<BridgeFile, "connectionId" | "folder" | "name" | "bytes" | "modifiedAt" | "sha256">;

/** How long the record of an archived file is stored; the latest of each name is stored for good. */
const REMEMBERED_MS = 30 * DAY_MS;

/** Statuses of runs whose outcome is final. */
const ENDED = ["succeeded", "partial", "failed", "cancelled", "superseded", "skipped"] as const;

/** For sealDrop. Fails the batch when the same file was taken and is not settled (isTakenTwice). */
export function insertBridgeFile(db: Database, file: NewBridgeFile): WithSeal {
  return (queued) => [db.run(insertIf(bridgeFiles, file, queued))];
}

export function isTakenTwice(error: unknown): boolean {
  return isUniqueViolation(error, "bridge_files.sha256");
}

/** The same file, if it was taken and is not settled. */
export async function findUnsettledTwin(db: Database, file: FileIdentity): Promise<BridgeFile | null> {
  const { connectionId, folder, name, bytes, modifiedAt, sha256 } = file;
  return await findRow(db, bridgeFiles, { connectionId, folder, name, bytes, modifiedAt, sha256, settledAt: null });
}

/** The last file with one of the names: a name may be stored as a keyed digest (erased-files.ts). */
export async function findLatestOfName(
  db: Database,
  { connectionId, folder, names }: Pick<FileIdentity, "connectionId" | "folder"> & { names: readonly string[] },
): Promise<BridgeFile | null> {
  return await first(
    db.orm.select().from(bridgeFiles).where(and(
      eq(bridgeFiles.connectionId, connectionId),
      eq(bridgeFiles.folder, folder),
      inArray(bridgeFiles.name, [...names]),
    )).orderBy(desc(bridgeFiles.id)).limit(1),
  );
}

/** Whether another file of that name was taken behind this one. */
export async function hasLaterOfName(db: Database, { id, ...file }: BridgeFile): Promise<boolean> {
  const latest = await findLatestOfName(db, { ...file, names: [file.name] });
  return latest !== null && latest.id > id;
}

/** The file has the same bytes and a new modification time. */
export async function moveTime(db: Database, file: BridgeFile, modifiedAt: number): Promise<void> {
  await db.write([db.orm.update(bridgeFiles).set({ modifiedAt }).where(eq(bridgeFiles.id, file.id))]);
}

export async function findBridgeFile(db: Database, id: number): Promise<BridgeFile | null> {
  return await findRow(db, bridgeFiles, { id });
}

export async function findFileOfDrop(db: Database, dropId: number): Promise<BridgeFile | null> {
  return await findRow(db, bridgeFiles, { dropId });
}

/** Files of the bridge's connections that were taken and are not settled. */
export async function listUnsettled(db: Database, bridgeId: number): Promise<BridgeFile[]> {
  return await db.orm.select().from(bridgeFiles)
    .where(and(isNull(bridgeFiles.settledAt), inArray(bridgeFiles.connectionId, leasedTo(db, bridgeId))))
    .orderBy(asc(bridgeFiles.id)).limit(1000);
}

/** Settling a settled file changes nothing. `name`: its name from then on. */
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

/** `before`: statements for the same batch, which run while the file is not marked yet. */
export async function markReturned(
  db: Database,
  file: BridgeFile,
  now: number,
  by: By = HUB,
  before: readonly Statement[] = [],
): Promise<void> {
  const note = { action: "report.returned", subject: encodeId("run", file.runId) } as const;
  await mark(db, file, "returnedAt", note, now, by, before);
}

/** True in SQL until something was returned for the file. */
export function isNotReturned({ id }: BridgeFile): SQL {
  return sql`exists (select 1 from ${bridgeFiles} where id = ${id} and returned_at is null)`;
}

/** Only the first time is stored and recorded. */
async function mark(
  db: Database,
  { id, organizationId, connectionId }: BridgeFile,
  column: "settledAt" | "returnedAt",
  { action, subject }: { action: AuditAction; subject: string },
  now: number,
  by: By,
  before: readonly Statement[] = [],
): Promise<void> {
  await db.write([
    ...before,
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
 * Files of the bridge's connections whose runs have ended, and for which something is to be returned: a report, a note why
 * the file was not used, or the file itself to `failed`. Files with nothing to return are marked as done here.
 */
export async function listReturning(db: Database, bridgeId: number, now: number): Promise<Returning[]> {
  const mine = sql`f.returned_at is null and f.connection_id in
    (select connection_id from ${bridgeLeases} where bridge_id = ${bridgeId})`;
  await db.write([
    db.run(sql`update ${bridgeFiles} set returned_at = ${now} where id in (
      select f.id from ${bridgeFiles} f left join ${runs} r on r.id = f.run_id
      where ${mine} and (r.id is null or r.status = 'skipped' or (r.status in ('succeeded', 'partial')
        and not exists (select 1 from issue_pages p where p.run_id = r.id))))`),
  ]);
  const rows = await db.orm.select({ file: bridgeFiles, status: runs.status, error: runs.error }).from(bridgeFiles)
    .innerJoin(runs, eq(runs.id, bridgeFiles.runId)).where(and(
      isNull(bridgeFiles.returnedAt),
      isNotNull(bridgeFiles.settledAt),
      inArray(bridgeFiles.connectionId, leasedTo(db, bridgeId)),
      inArray(runs.status, [...ENDED]),
    )).orderBy(asc(bridgeFiles.id)).limit(100);
  return rows.map(({ file, status, error }) => ({ file, status, errorCode: error?.code ?? null }));
}

/** The statements that delete old records, except the latest of each name, and those of deleted connections. */
export function forgetBridgeFiles(db: Database, now: number): Statement[] {
  return [
    db.run(sql`delete from ${bridgeFiles} where connection_id not in (select id from connections)`),
    db.run(sql`delete from ${bridgeFiles} where settled_at < ${now - REMEMBERED_MS} and id not in
      (select max(id) from ${bridgeFiles} group by connection_id, folder, name)`),
  ];
}
