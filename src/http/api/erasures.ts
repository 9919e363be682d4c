/** An erasure as the API shows it: what was erased, what is pending, and what is left out of the hub's reach. */
import { z } from "zod";
import { KEPT_COPIES_MS } from "../../bridge/contract.ts";
import type { Hub } from "../../hub.ts";
import { encodeId } from "../../model/id.ts";
import { loadBridgeStates } from "../../store/bridges/bridge-states.ts";
import { type Connection, listConnections } from "../../store/connections/connections.ts";
import { type Erasure, listTreesOf, type TreeErasure } from "../../store/people/erasures.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { idOf, INSTANT } from "../kit/shapes.ts";

const PENDING = z.strictObject({
  what: z.enum(["sftp_files", "database_file"]),
  connection_id: idOf("con").nullable(),
  bridge_id: idOf("bri").nullable(),
  since: INSTANT,
  detail: z.string().meta({ examples: ["The bridge sftp-1 has yet to delete its copies of this connection's files"] }),
});
const LEFT = z.strictObject({
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
});
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

async function leftOf(hub: Hub, erasure: Erasure, trees: readonly TreeErasure[]): Promise<z.infer<typeof LEFT>[]> {
  const { db } = hub;
  const everywhere = { connection_id: null, until: null };
  const left: z.infer<typeof LEFT>[] = [
    { ...everywhere, what: "backups", detail: "Backups of the database and of the bridge's disk are the operator's" },
    {
      ...everywhere,
      what: "sent",
      detail:
        "The sender's files, reports that were mailed or downloaded, and what webhook endpoints and readers of the feed " +
        "received stay with their owners",
    },
  ];
  if (db.file === undefined) {
    left.push({
      ...everywhere,
      what: "database_provider",
      detail: "How long deleted bytes, logs and snapshots of the database are kept is up to its provider",
    });
  }
  for (const { tree, bridge } of trees) {
    const connection_id = encodeId("con", tree.connectionId);
    if (bridge === null && tree.confirmedAt === null) {
      left.push({
        what: "removed_bridge",
        connection_id,
        until: null,
        detail: `The bridge ${encodeId("bri", tree.bridgeId)} was removed before it had deleted its copies of this ` +
          "connection's files: its operator should delete its folder of SFTP trees",
      });
    }
    if (tree.confirmedAt !== null && tree.waiting > 0) {
      left.push({
        what: "waiting_files",
        connection_id,
        until: null,
        detail: `${tree.waiting} files waited to be taken when the copies were deleted: they are still imported, and ` +
          "people in them become new users",
      });
    }
  }
  const all = (await listConnections(db, erasure.organizationId, ALL)).filter((each) => isBridged(hub, each));
  for (const connection of all) {
    if (isRemote(connection) && erasure.connections.includes(connection.id)) left.push(onServer(connection, erasure));
  }
  const others = all.filter((each) => !isRemote(each) && !erasure.connections.includes(each.id));
  const states = await loadBridgeStates(db, erasure.organizationId, others.map(({ id }) => id));
  for (const { connectionId, lying } of states.values()) {
    if (lying.length === 0) continue;
    left.push({
      what: "unread_files",
      connection_id: encodeId("con", connectionId),
      until: null,
      detail:
        "Files in its folder are never taken, so the hub does not know whom they are about; the connection lists them",
    });
  }
  return left;
}

function isBridged({ registry }: Hub, { connector }: Connection): boolean {
  return registry.get(connector)?.bridged === true;
}

function isRemote({ settings }: Connection): boolean {
  return settings.mode === "remote";
}

function onServer({ id, settings }: Connection, { askedAt }: Erasure): z.infer<typeof LEFT> {
  const isLeft = settings.after === "leave";
  return {
    what: "files_on_server",
    connection_id: encodeId("con", id),
    until: toInstantOrNull(isLeft ? null : askedAt + KEPT_COPIES_MS),
    detail: isLeft
      ? "The files are on a remote server, and stay there until its operator deletes them"
      : "Copies in .bak, reports and failed are on a remote server: the bridge deletes what it put there after 30 days; " +
        "all other files are up to the server's operator",
  };
}
