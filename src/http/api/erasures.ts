/** An erasure as the API shows it: what was erased, what is pending, and what is left out of the hub's reach. */
import { z } from "zod";
import { KEPT_COPIES_MS } from "../../bridge/contract.ts";
import { connectorFor, type Hub } from "../../hub.ts";
import { encodeId } from "../../model/id.ts";
import { loadBridgeStates } from "../../store/bridges/bridge-states.ts";
import { type Connection, listConnections } from "../../store/connections/connections.ts";
import { type Erasure, listTreesOf, type TreeErasure } from "../../store/people/erasures.ts";
import { DAY_MS, toInstant, toInstantOrNull } from "../../std/time.ts";
import { idOf, INSTANT } from "../kit/shapes.ts";

const PENDING = z.strictObject({
  what: z.enum(["sftp_files", "database_file"]),
  connection_id: idOf("con").nullable(),
  bridge_id: idOf("bri").nullable(),
  since: INSTANT,
  detail: z.string().meta({ examples: ["The bridge sftp-1 has yet to delete its copies of this connection's files"] }),
});
export const LEFT = z.strictObject({
  what: z.enum([
    "backups",
    "sent",
    "database_provider",
    "files_on_server",
    "waiting_files",
    "unread_files",
    "removed_bridge",
  ]),
  connection_id: idOf("con").nullable(),
  until: INSTANT.nullable().meta({ description: "Null: until it is deleted by others", examples: [null] }),
  detail: z.string().meta({ examples: ["Backups of the database are the operator's"] }),
}).meta({ id: "CopyElsewhere" });
const COUNT = z.int().min(0);

export const ERASURE = z.strictObject({
  user_id: idOf("usr"),
  erased_at: INSTANT,
  erased: z.strictObject({
    changes: COUNT.meta({ description: "Entries of histories and plans whose values were deleted", examples: [3] }),
    report_rows: COUNT.meta({ description: "Rows of failure reports that were emptied", examples: [1] }),
    drops: COUNT.meta({ examples: [2] }),
    uploads: COUNT.meta({ description: "Uploads that were not sealed", examples: [0] }),
  }),
  pending: z.array(PENDING).meta({ description: "Work left for the hub or a bridge; poll until it is empty" }),
  left: z.array(LEFT).meta({ description: "Copies outside of the hub's reach" }),
  completed_at: INSTANT.nullable().meta({ description: "Null while something is pending" }),
}).meta({ id: "Erasure" });

export type ErasureView = z.infer<typeof ERASURE>;
type Left = z.infer<typeof LEFT>;

export async function viewErasure(hub: Hub, erasure: Erasure): Promise<z.infer<typeof ERASURE>> {
  const trees = await listTreesOf(hub.db, erasure);
  const pending = pendingOf(hub, erasure, trees);
  const ends = [erasure.askedAt, erasure.cleanedAt, ...trees.map(({ tree }) => tree.confirmedAt)];
  return {
    user_id: encodeId("usr", erasure.userId),
    erased_at: toInstant(erasure.erasedAt),
    erased: erasure.counts,
    pending,
    left: await leftOf(hub, erasure, trees),
    completed_at: pending.length > 0 ? null : toInstant(Math.max(...ends.map((at) => at ?? 0))),
  };
}

const ALL = { after: 0, limit: 10_000 };

function pendingOf(
  { db }: Hub,
  { askedAt, cleanedAt }: Erasure,
  trees: readonly TreeErasure[],
): z.infer<typeof PENDING>[] {
  const ofTrees = trees.flatMap(({ tree, bridge }) => {
    if (bridge === null || tree.confirmedAt !== null) return [];
    return [{
      what: "sftp_files" as const,
      connection_id: encodeId("con", tree.connectionId),
      bridge_id: encodeId("bri", bridge.id),
      since: toInstant(tree.askedAt),
      detail:
        `The bridge "${bridge.name}", last seen at ${toInstant(bridge.seenAt)}, has yet to delete its copies of this ` +
        "connection's files; it does so automatically",
    }];
  });
  if (db.file === undefined || cleanedAt !== null) return ofTrees;
  return [...ofTrees, {
    what: "database_file",
    connection_id: null,
    bridge_id: null,
    since: toInstant(askedAt),
    detail: "The database's file has yet to be rewritten, so that its unused space holds nothing; the hub does so " +
      "automatically",
  }];
}

/**
 * Copies of a person outside of the hub's tables. `connections`: ids of those whose inputs may hold the person; `askedAt`:
 * copies that are made later do not count.
 */
export async function leftOf(
  hub: Hub,
  erasure: Pick<Erasure, "organizationId" | "connections" | "askedAt">,
  trees: readonly TreeErasure[],
): Promise<Left[]> {
  const { db } = hub;
  const all = (await listConnections(db, erasure.organizationId, ALL)).filter((each) => isBridged(hub, each));
  const read = all.filter((each) => isRemote(each) && erasure.connections.includes(each.id));
  const others = all.filter((each) => !isRemote(each) && !erasure.connections.includes(each.id));
  const states = await loadBridgeStates(db, erasure.organizationId, others.map(({ id }) => id));
  return [
    ofBackups(hub, erasure),
    left(
      "sent",
      null,
      "The sender's files, reports that were mailed or downloaded, and what webhook endpoints and readers of the feed " +
        "received stay with their owners",
    ),
    ...(db.file !== undefined ? [] : [left(
      "database_provider",
      null,
      "How long deleted bytes, logs and snapshots of the database are stored is up to its provider",
    )]),
    ...trees.flatMap(leftOfTree),
    ...read.map((connection) => onServer(connection, erasure)),
    ...[...states.values()].filter(({ lying }) => lying.length > 0).map(({ connectionId }) =>
      left(
        "unread_files",
        connectionId,
        "Files in its folder are never taken, so the hub does not know whom they are about; the connection lists them",
      )
    ),
  ];
}

/** The hub deletes its scheduled backups one a night; it knows of no other copies. */
function ofBackups({ backupsKept }: Hub, { askedAt }: Pick<Erasure, "askedAt">): Left {
  const others = "Backups of the database and of the bridge's disk are the operator's";
  if (backupsKept === undefined) return left("backups", null, others);
  const detail = `The last scheduled backup that may hold the person is deleted after ${backupsKept + 1} nights. ` +
    `${others}`;
  return left("backups", null, detail, askedAt + (backupsKept + 1) * DAY_MS);
}

function leftOfTree({ tree, bridge }: TreeErasure): Left[] {
  if (bridge === null && tree.confirmedAt === null) {
    const detail =
      `The bridge ${encodeId("bri", tree.bridgeId)} was removed before it had deleted its copies of this ` +
      "connection's files: its operator should delete its folder of SFTP trees";
    return [left("removed_bridge", tree.connectionId, detail)];
  }
  if (tree.confirmedAt === null || tree.waiting === 0) return [];
  const detail =
    `${tree.waiting} files waited to be taken when the copies were deleted: they are still imported, and ` +
    "people in them become new users";
  return [left("waiting_files", tree.connectionId, detail)];
}

/** `until`: in milliseconds since 1970; null: until others delete it. */
function left(what: Left["what"], connectionId: number | null, detail: string, until: number | null = null): Left {
  const connection_id = connectionId === null ? null : encodeId("con", connectionId);
  return { what, connection_id, until: toInstantOrNull(until), detail };
}

function isBridged({ registry }: Hub, connection: Connection): boolean {
  return connectorFor(registry, connection)?.bridged === true;
}

function isRemote({ settings }: Connection): boolean {
  return settings.mode === "remote";
}

function onServer({ id, settings }: Connection, { askedAt }: Pick<Erasure, "askedAt">): Left {
  if (settings.after === "leave") {
    return left(
      "files_on_server",
      id,
      "The files are on a remote server, and stay there until its operator deletes them",
    );
  }
  const detail =
    "Copies in .bak, reports and failed are on a remote server: the bridge deletes what it put there after " +
    "30 days; all other files are up to the server's operator";
  return left("files_on_server", id, detail, askedAt + KEPT_COPIES_MS);
}
