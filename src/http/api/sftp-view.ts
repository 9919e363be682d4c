/** How a connection that a bridge serves fares, as an admin sees it on the connection. */
import { z } from "zod";
import type { Hub } from "../../hub.ts";
import { HUB_FULL } from "../../bridge/contract.ts";
import { encodeId } from "../../model/id.ts";
import type { By } from "../../model/audit.ts";
import { findNextHolder, leaseTo, listHolders } from "../../store/bridges/bridge-leases.ts";
import { loadBridgeStates } from "../../store/bridges/bridge-states.ts";
import type { Bridge } from "../../store/bridges/bridges.ts";
import type { Connection } from "../../store/connections/connections.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { idOf, INSTANT } from "../kit/shapes.ts";

/** A bridge asks every few seconds; one that has not for so long is gone, or cannot reach the hub. */
const SILENT_MS = 60_000;
/** So long a connection may wait for a bridge to ask, before that none did is worth a word. */
const NEW_MS = 30_000;

export const NO_BRIDGE = {
  code: "no_bridge",
  message: "No bridge serves this connection: one should be running, and confirmed",
};

export const SFTP = z.strictObject({
  bridge: z.strictObject({ id: idOf("bri"), name: z.string(), seen_at: INSTANT }).nullable()
    .meta({ description: "The bridge that serves the connection" }),
  server: z.strictObject({ host: z.string(), port: z.int(), host_key: z.string() }).nullable()
    .meta({
      description: "Where to upload files; null for a remote server, or while no bridge has a hosted server",
    }),
  seen_at: INSTANT.nullable().meta({ description: "When the bridge last looked for files" }),
  trouble: z.strictObject({ code: z.string(), message: z.string() }).nullable()
    .meta({
      description:
        "Why files cannot be taken or, with `report_not_written`, reports cannot be written; null when healthy",
      examples: [null],
    }),
  failures_in_a_row: z.int().min(0).meta({ description: "Failed visits in a row", examples: [0] }),
  lying: z.array(z.strictObject({
    name: z.string(),
    since: INSTANT,
    why: z.enum(["temporary", "empty", "unfinished", "unmatched"]).meta({
      description: "Named like a running upload; without content; cut off during the upload; not matching the patterns",
    }),
  })).meta({ description: "Files that have not been taken for an hour", examples: [[]] }),
}).meta({ id: "ConnectionSftp" });

export type SftpView = z.infer<typeof SFTP>;

/** Of those of the organization's connections that a bridge is to serve; by connection. */
export async function loadSftpViews(
  hub: Hub,
  organizationId: number,
  list: readonly Connection[],
): Promise<ReadonlyMap<number, SftpView>> {
  const bridged = list.filter(({ connector }) => hub.registry.get(connector)?.bridged === true);
  if (bridged.length === 0) return new Map();
  const ids = bridged.map(({ id }) => id);
  const holders = await listHolders(hub.db, ids);
  const states = await loadBridgeStates(hub.db, organizationId, ids);
  const isAnyNew = bridged.some((connection) => isHosted(connection) && !holders.has(connection.id));
  const next = isAnyNew ? await findNext(hub, organizationId, true) : null;
  return new Map(bridged.map((connection) => {
    const bridge = holders.get(connection.id) ?? null;
    const state = states.get(connection.id);
    return [connection.id, {
      bridge: bridge === null
        ? null
        : { id: encodeId("bri", bridge.id), name: bridge.name, seen_at: toInstant(bridge.seenAt) },
      server: isHosted(connection) ? viewServer((bridge ?? next)?.hosted ?? null) : null,
      seen_at: toInstantOrNull(state?.seenAt ?? null),
      trouble: bridge === null && hub.now() - connection.updatedAt < NEW_MS ? null : bridge === null
        ? NO_BRIDGE
        // What a bridge says cannot be stored then.
        : hub.db.isFull()
        ? HUB_FULL
        : hub.now() - bridge.seenAt > SILENT_MS
        ? {
          code: "bridge_silent",
          message: "The bridge of this connection is not heard of: it should be running, and reach the hub",
        }
        : state?.trouble ?? null,
      failures_in_a_row: state?.failures ?? 0,
      lying: (state?.lying ?? []).map(({ name, since, why }) => ({ name, since: toInstant(since), why })),
    }];
  }));
}

/**
 * Sees to it that a connection has a bridge, so that whoever is told its server's address finds it served there, and
 * whoever checks it is answered. Where no bridge was heard of lately, nothing is done: the next one that comes takes it.
 */
export async function holdNew(hub: Hub, connection: Connection, by: By): Promise<void> {
  if ((await listHolders(hub.db, [connection.id])).size > 0) return;
  const next = await findNext(hub, connection.organizationId, isHosted(connection));
  if (next === null || hub.now() - next.seenAt > SILENT_MS) return;
  await leaseTo(hub.db, next, connection, hub.now(), by);
}

async function findNext(hub: Hub, organizationId: number, isHosted: boolean): Promise<Bridge | null> {
  return await findNextHolder(hub.db, { organizationId, isHosted }, hub.now() - SILENT_MS, hub.now());
}

function isHosted({ settings }: Connection): boolean {
  return settings.mode !== "remote";
}

/** What others need to know of a hosted server. */
export function viewServer(hosted: Bridge["hosted"]): SftpView["server"] {
  return hosted === null ? null : { host: hosted.host, port: hosted.port, host_key: hosted.host_key };
}
