/** The end of a connection: its links and what it has stored go in one write, or nothing does; its people stay. */
import { and, eq, exists, inArray, not } from "drizzle-orm";
import { type By, HUB } from "../../model/audit.ts";
import { runCompleted } from "../../model/event.ts";
import { removeSftpLogin } from "../bridges/sftp-logins.ts";
import type { Database } from "../database.ts";
import { eventStatements, runIs } from "../notify/events.ts";
import { links, pendingManagers } from "../people/schema.ts";
import { first } from "../reads.ts";
import { endGroups } from "../scim/groups.ts";
import { scimUsers } from "../scim/schema.ts";
import { tokens } from "../schema.ts";
import { selectAtWork, viewRun } from "../runs/runs.ts";
import { runs } from "../runs/schema.ts";
import { isStored, unchanged } from "../unchanged.ts";
import { moveReferences } from "../versions.ts";
import { forgetSecrets } from "./connection-secrets.ts";
import { type Connection, recordConnection } from "./connections.ts";
import { deleteKeysOf } from "./pgp-keys.ts";
import { authorizations, connectionClocks, connectionUpgrades } from "./schema-sources.ts";
import { templateUses } from "./schema-templates.ts";
import { connections } from "./schema.ts";
import { deleteRows } from "../writes.ts";

/**
 * Deletes the connection and cancels its waiting runs. False when `current` is no longer what is stored, or one of its
 * runs is at work.
 */
export async function deleteConnection(db: Database, current: Connection, now: number, by: By = HUB): Promise<boolean> {
  const { orm } = db;
  const { id, organizationId } = current;
  const idle = and(
    unchanged(connections, current, ["id", "version"]),
    not(exists(selectAtWork(db, { connectionId: id }))),
  )!;
  const gone = not(isStored(connections, { id }));
  const isWaiting = and(eq(runs.connectionId, id), inArray(runs.status, ["queued", "planned", "held"]));
  const waiting = await orm.select().from(runs).where(isWaiting);
  const news = waiting.map((run) =>
    runCompleted(
      { organizationId, runId: run.id, connectionId: id },
      viewRun({ run: { ...run, status: "cancelled", finishedAt: now }, connection: current, drop: null }),
    )
  );
  const own = [
    links,
    pendingManagers,
    connectionClocks,
    connectionUpgrades,
    authorizations,
    templateUses,
    scimUsers,
  ] as const;
  return await deleteRows(db, connections, and(eq(connections.id, id), idle)!, {
    before: [
      ...own.map((table) => orm.delete(table).where(and(eq(table.connectionId, id), idle))),
      ...endGroups(db, id, idle),
      orm.delete(tokens).where(and(eq(tokens.connectionId, id), idle)),
      forgetSecrets(db, id, idle),
      orm.update(runs).set({ status: "cancelled", finishedAt: now }).where(and(isWaiting, idle)),
      moveReferences(db, organizationId, idle),
    ],
    after: [
      recordConnection(db, by, "connection.deleted", current, now),
      ...eventStatements(db, news, now, runIs("cancelled")),
      ...removeSftpLogin(db, id, gone),
      deleteKeysOf(db, id),
    ],
  });
}

/** Whether one of its runs plans or applies now. */
export async function isAtWork(db: Database, current: Connection): Promise<boolean> {
  return await first(selectAtWork(db, { connectionId: current.id }).limit(1)) !== null;
}
