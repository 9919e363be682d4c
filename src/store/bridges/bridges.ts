/**
 * Bridges as stored: introduced by their key, confirmed by the operator, removed. They belong to the hub; the connections
 * that they serve belong to organizations.
 */
import { and, asc, eq, gt, inArray, isNotNull, isNull, sql } from "drizzle-orm";
import { type By, HUB } from "../../model/audit.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { DEFAULT_ORGANIZATION, recordAudit } from "../audit.ts";
import { type Database, setOf, type Statement } from "../database.ts";
import { tokens } from "../schema.ts";
import type { Token } from "../tokens.ts";
import { bridgeLeases, bridges, type HostedAt } from "./schema-bridge.ts";
import { findRow } from "../reads.ts";
import { reserve } from "../sequences.ts";
import { deleteRows } from "../writes.ts";

export type Bridge = typeof bridges.$inferSelect;
export type Introduction = Pick<Bridge, "name" | "thumbprint" | "publicKey" | "bearer" | "version" | "hosted">;

/** How many may wait for the operator: a client with a token could otherwise fill the table. */
const MAX_UNCONFIRMED = 100;

/**
 * The bridge with this key, created if it is new, and updated from its introduction. Null when too many wait for the
 * operator. `confirmed`: its key is known to be right.
 */
export async function introduceBridge(
  db: Database,
  introduction: Introduction,
  now: number,
  confirmed: boolean,
  by: By = HUB,
): Promise<Bridge | null> {
  const known = await findBridgeByKey(db, introduction.thumbprint);
  if (known === null && !confirmed) {
    const [waiting] = await db.rows<[number]>(sql`select count(*) from ${bridges} where confirmed_at is null`);
    if (waiting![0] >= MAX_UNCONFIRMED) return null;
  }
  const id = known?.id ?? await reserve(db, "bridge");
  const subjects = [encodeId("bri", id)];
  const note = { organizationId: DEFAULT_ORGANIZATION, subjects };
  await db.write([
    db.orm.insert(bridges).values({ ...introduction, id, confirmedAt: null, seenAt: now, createdAt: now })
      .onConflictDoNothing(),
    recordAudit(db, by, { ...note, action: "bridge.introduced" }, now),
    db.orm.update(bridges).set({ ...introduction, seenAt: now }).where(eq(bridges.thumbprint, introduction.thumbprint)),
    ...(confirmed ? confirmStatements(db, introduction.thumbprint, subjects, now, by) : []),
  ]);
  return await findBridgeByKey(db, introduction.thumbprint);
}

/** Null when the bridge is removed. Confirming again changes nothing. */
export async function confirmBridge(db: Database, bridge: Bridge, now: number, by: By): Promise<Bridge | null> {
  await db.write(confirmStatements(db, bridge.thumbprint, [encodeId("bri", bridge.id)], now, by));
  return await findBridge(db, bridge.id);
}

function confirmStatements(db: Database, thumbprint: string, subjects: string[], now: number, by: By): Statement[] {
  return [
    db.orm.update(bridges).set({ confirmedAt: now })
      .where(and(eq(bridges.thumbprint, thumbprint), isNull(bridges.confirmedAt))),
    recordAudit(db, by, { organizationId: DEFAULT_ORGANIZATION, action: "bridge.confirmed", subjects }, now),
  ];
}

/** False when there is no such bridge. Its connections are free for others at once. */
export async function removeBridge(db: Database, id: number, now: number, by: By): Promise<boolean> {
  const note = {
    organizationId: DEFAULT_ORGANIZATION,
    action: "bridge.removed",
    subjects: [encodeId("bri", id)],
  } as const;
  return await deleteRows(db, bridges, eq(bridges.id, id), {
    before: [db.orm.delete(bridgeLeases).where(eq(bridgeLeases.bridgeId, id))],
    after: [recordAudit(db, by, note, now)],
  });
}

/** The trees that its hosted server has set aside, which it reports after each introduction. */
export async function saveSetAside(db: Database, { id }: Bridge, aside: HostedAt["set_aside"]): Promise<void> {
  await db.write([
    db.orm.update(bridges).set({
      hosted: sql`json_set(${bridges.hosted}, '$.set_aside', json(${JSON.stringify(aside)}))`,
    })
      .where(and(eq(bridges.id, id), isNotNull(bridges.hosted))),
  ]);
}

export async function findBridge(db: Database, id: number): Promise<Bridge | null> {
  return await findRow(db, bridges, { id });
}

async function findBridgeByKey(db: Database, thumbprint: string): Promise<Bridge | null> {
  return await findRow(db, bridges, { thumbprint });
}

export async function listBridges(db: Database, page: { after: number; limit: number }): Promise<Bridge[]> {
  return await db.orm.select().from(bridges).where(gt(bridges.id, page.after)).orderBy(asc(bridges.id))
    .limit(page.limit);
}

/** The stored tokens that these bridges used last, by `bearer`. */
export async function loadTokensOf(
  db: Database,
  list: readonly Pick<Bridge, "bearer">[],
): Promise<ReadonlyMap<string, Token>> {
  const ids = list.flatMap(({ bearer }) => decodeId("tok", bearer) ?? []);
  const found = await db.orm.select().from(tokens).where(inArray(tokens.id, setOf(ids)));
  return new Map(found.map((token) => [encodeId("tok", token.id), token]));
}
