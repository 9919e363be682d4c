/** The key under which a connection's people are linked. */
import { and, desc, eq, isNotNull } from "drizzle-orm";
import type { KeyField } from "../../model/record.ts";
import type { Database } from "../database.ts";
import { links } from "../people/schema.ts";
import { findRow, first } from "../reads.ts";
import { runs } from "../runs/schema.ts";
import type { ConnectionRef } from "./connections.ts";

export async function hasLinks(db: Database, { id }: ConnectionRef): Promise<boolean> {
  return await findRow(db, links, { connectionId: id }) !== null;
}

/** The key by which its last input was read; null: there was none, or its run is no longer kept. */
export async function lastKeyOf(db: Database, { id, organizationId }: ConnectionRef): Promise<KeyField | null> {
  const isOwn = and(eq(runs.organizationId, organizationId), eq(runs.connectionId, id), eq(runs.entity, "users"));
  const last = await first(
    db.orm.select({ figures: runs.figures }).from(runs).where(and(isOwn, isNotNull(runs.figures)))
      .orderBy(desc(runs.id)).limit(1),
  );
  return last?.figures?.key ?? null;
}
