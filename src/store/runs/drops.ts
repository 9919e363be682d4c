/**
 * Drops as stored: opened, sealed, found, deleted.
 *
 * A drop is an input as it was received. Until it is sealed, it is an upload that nothing reads. Sealing it and queueing
 * its run are one write, so that there is no sealed drop without a run and no run without a complete drop.
 */
import { and, eq, gte, isNull, lt, type SQL, sql } from "drizzle-orm";
import { actorOf, type By, HUB } from "../../model/audit.ts";
import { charsetOf } from "../../model/charset.ts";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { MAX_OPEN_UPLOADS, UPLOADS_RETRY_AFTER_S } from "../../model/limits.ts";
import type { Coverage, Entity } from "../../model/record.ts";
import { recordAudit } from "../audit.ts";
import { type Database, setOf, type Statement, writeNamed } from "../database.ts";
import { isStored, matches } from "../unchanged.ts";
import { isNoRoom, type Room, whileRoom } from "../room.ts";
import { dropChunks, drops } from "./schema-drops.ts";
import { forgetPieces } from "./drop-pieces.ts";
import { runs } from "./schema.ts";
import { fetches } from "../connections/schema-sources.ts";
import { type NewRun, queueRun, writeQueueing } from "./runs.ts";
import { finderIn, first } from "../reads.ts";
import { reserve } from "../sequences.ts";
import { DAY_MS } from "../../std/time.ts";
import { deleteRows } from "../writes.ts";

export type Drop = typeof drops.$inferSelect;

/** How long an unsealed drop waits for its parts. */
export const UNSEALED_MS = DAY_MS;

/** What a sender specifies for a drop; null: not specified. */
export interface DropInput {
  readonly name: string;
  readonly contentType: string;
  readonly mode: "auto" | "plan";
  readonly entity: Entity | null;
  readonly coverage: Coverage | null;
  /** Whether it is an edit by hand; absent: it is not. */
  readonly byHand?: boolean;
}

/**
 * What makes two drops the same input: the bytes, the encoding that the sender declared, and whether they came by hand.
 * Null until it is sealed. Another encoding makes other text of the same bytes, and an edit is not what a source says.
 */
export function identityOf(drop: Pick<Drop, "sha256" | "contentType" | "byHand">): string | null {
  if (drop.sha256 === null) return null;
  const charset = charsetOf(drop.contentType);
  return [drop.sha256, ...charset === null ? [] : [charset], ...drop.byHand ? ["by hand"] : []].join(" ");
}

/** The size and digest of its content. */
export interface Seal {
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  /** How many rows the sender announced; null: none announced. */
  readonly rows: number | null;
}

/**
 * Opens a drop for its content; gives its id. `upload`: the actor that will send it in parts; then it fails with
 * `too_many_in_flight` when the organization has too many uploads.
 */
export async function createDrop(
  db: Database,
  organizationId: number,
  connectionId: number,
  input: DropInput,
  now: number,
  upload: By | null = null,
): Promise<number> {
  const id = await reserve(db, "drop");
  const name = upload === null ? input.name : whileRoom(input.name, openUploadsOf(organizationId, now));
  await writeDrop(db, [
    db.orm.insert(drops).values({
      ...input,
      name,
      id,
      organizationId,
      connectionId,
      sentBy: upload === null ? null : actorOf(upload),
      expiresAt: now + UNSEALED_MS,
      createdAt: now,
    }),
    ...(upload === null ? [] : [
      recordAudit(
        db,
        upload,
        {
          organizationId,
          action: "upload.opened",
          subjects: [encodeId("upl", id), encodeId("con", connectionId)],
        },
        now,
      ),
    ]),
  ]);
  return id;
}

async function writeDrop(db: Database, statements: readonly Statement[]): Promise<void> {
  try {
    await db.write(statements);
  } catch (error) {
    if (!isNoRoom(error, "drops.name")) throw error;
    throw new Fault(
      "too_many_in_flight",
      `The organization has ${MAX_OPEN_UPLOADS} uploads that are not sealed; seal or delete one of them first`,
      { retryAfterS: UPLOADS_RETRY_AFTER_S, cause: error },
    );
  }
}

/** Unsealed drops, except those that a fetch fills. */
function openUploadsOf(organizationId: number, now: number): Room {
  const taken = sql`select count(*) from ${drops} where organization_id = ${organizationId} and sha256 is null
    and expires_at >= ${now}
    and id not in (select drop_id from ${fetches} where organization_id = ${organizationId} and drop_id is not null)`;
  return { taken, most: MAX_OPEN_UPLOADS };
}

/** Drops of the connection that are not sealed and have not expired. */
export async function countOpenDrops(db: Database, connectionId: number, now: number): Promise<number> {
  return await db.orm.$count(
    drops,
    and(eq(drops.connectionId, connectionId), isNull(drops.sha256), gte(drops.expiresAt, now)),
  );
}

export const findDrop = finderIn(drops);

/** In any organization: the caller must check whether it may know of it. */
export async function findPlaceOfDrop(
  db: Database,
  id: number,
): Promise<{ connectionId: number; organizationId: number } | null> {
  const { connectionId, organizationId } = drops;
  return await first(db.orm.select({ connectionId, organizationId }).from(drops).where(eq(drops.id, id)));
}

/**
 * Closes an upload for parts while its content is digested; gives a stamp for reopenDrop and sealDrop, or null when it is
 * sealed already. If the process dies, the upload can be closed again.
 */
export async function closeDrop(db: Database, organizationId: number, id: number, now: number): Promise<number | null> {
  const { changed } = await writeNamed(db, {
    changed: db.orm.update(drops).set({ sealedAt: sql`max(${now}, coalesce(${drops.sealedAt}, 0) + 1)` })
      .where(matches(drops, { organizationId, id, sha256: null })).returning({ stamp: drops.sealedAt }),
  });
  return changed[0]?.stamp ?? null;
}

/** Accepts parts again after closeDrop. */
export async function reopenDrop(db: Database, organizationId: number, id: number, stamp: number): Promise<void> {
  await db.write([
    db.orm.update(drops).set({ sealedAt: null })
      .where(matches(drops, { organizationId, id, sealedAt: stamp, sha256: null })),
  ]);
}

/** Statements for the batch that seals a drop. They must do nothing unless `queued` holds: the run was queued. */
export type WithSeal = (queued: SQL) => readonly Statement[];

/**
 * Seals the drop and queues its run, both or neither; false when another request has closed or sealed it. Fails with
 * `queue_full`.
 */
export async function sealDrop(
  db: Database,
  organizationId: number,
  id: number,
  seal: Seal,
  run: NewRun,
  times: { now: number; expiresAt: number; stamp: number | null },
  by: By = HUB,
  also: WithSeal = () => [],
): Promise<boolean> {
  const open = { organizationId, id, sha256: null, sealedAt: times.stamp };
  const { queued } = await writeQueueing(db, {
    queued: queueRun(db, run, times.now, { condition: isStored(drops, open) }),
    drops: db.orm.update(drops).set({
      ...seal,
      // An upload belongs to the actor that opened it.
      sentBy: sql`coalesce(${drops.sentBy}, ${actorOf(by)})`,
      sealedAt: times.now,
      expiresAt: times.expiresAt,
    }).where(matches(drops, open)),
    audit: recordAudit(
      db,
      by,
      {
        organizationId,
        action: times.stamp === null ? "drop.received" : "upload.sealed",
        subjects: [
          ...(times.stamp === null ? [] : [encodeId("upl", id)]),
          encodeId("drp", id),
          encodeId("con", run.connectionId),
          encodeId("run", run.id),
        ],
      },
      times.now,
    ),
    chunks: times.stamp === null ? [] : forgetPieces(db, id),
    also: also(sql`exists (select 1 from ${runs} where id = ${run.id})`),
  });
  return queued.length > 0;
}

/** Deletes an unsealed drop with its parts; false when it is sealed, or there is none. `upload`: the actor, for the audit. */
export async function deleteUnsealedDrop(
  db: Database,
  organizationId: number,
  id: number,
  upload: { readonly by: By; readonly now: number } | null = null,
): Promise<boolean> {
  const note = { organizationId, action: "upload.deleted", subjects: [encodeId("upl", id)] } as const;
  return await deleteRows(db, drops, matches(drops, { organizationId, id, sha256: null }), {
    // Also parts that arrived after the drop itself was deleted or had expired.
    before: [
      db.orm.delete(dropChunks).where(and(
        eq(dropChunks.dropId, id),
        sql`not exists (select 1 from ${drops} where id = ${id}
        and (organization_id <> ${organizationId} or sha256 is not null))`,
      )),
    ],
    after: upload === null ? [] : [recordAudit(db, upload.by, note, upload.now)],
  });
}

/** How many drops of a connection keep their content. */
const MAX_KEPT = 10;

/**
 * Deletes expired unsealed drops, and the content of sealed drops that have expired or are followed by MAX_KEPT drops of
 * the same connection. Content that a run may still read stays.
 */
export async function expireDrops(db: Database, now: number, isOver: () => boolean = () => false): Promise<void> {
  // Drops may be large, so each batch deletes the content of a few.
  while (!isOver()) {
    const rows = await db.rows<[number]>(sql`select id from drops where id in (select drop_id from drop_chunks)
      and (${expired(now)} or id in (${SUPERFLUOUS})) limit ${AT_ONCE}`);
    const ids = setOf(rows.map(([id]) => id));
    await db.write([
      // A run may have begun to need one of them.
      db.run(sql`delete from drop_chunks where drop_id in (select id from drops where id in ${ids}
        and (${expired(now)} or id not in (${NEEDED})))`),
      db.orm.delete(drops).where(and(lt(drops.expiresAt, now), isNull(drops.sha256), NO_CONTENT)),
    ]);
    if (rows.length < AT_ONCE) return;
  }
}

/** Drops whose content is deleted in one batch. */
const AT_ONCE = 20;

const NO_CONTENT = sql`id not in (select drop_id from drop_chunks)`;

const expired = (now: number) => sql`(expires_at < ${now} and (sha256 is null or id not in (${NEEDED})))`;

/** Drops of runs that have not ended; the condition fits the index of those runs. */
const NEEDED = sql`select drop_id from runs
  where status in ('queued', 'planning', 'applying', 'planned', 'held') and drop_id is not null`;

const SUPERFLUOUS = sql`select id from
  (select id, row_number() over (partition by connection_id order by id desc) as place from drops
    where sha256 is not null and id in (select drop_id from drop_chunks))
  where place > ${MAX_KEPT} and id not in (${NEEDED})`;
