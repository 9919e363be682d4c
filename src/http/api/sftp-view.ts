/** The health of a connection that a bridge serves, as the connection shows it to admins. */
import { WHY_LEFT } from "../../model/bridge-wire.ts";
import { z } from "zod";
import { connectorFor, type Hub } from "../../hub.ts";
import { HUB_FULL } from "../../bridge/contract.ts";
import { encodeId } from "../../model/id.ts";
import type { By } from "../../model/audit.ts";
import { findNextHolder, leaseTo, listHolders } from "../../store/bridges/bridge-leases.ts";
import { type BridgeState, loadBridgeStates } from "../../store/bridges/bridge-states.ts";
import type { Bridge } from "../../store/bridges/bridges.ts";
import type { Connection } from "../../store/connections/connections.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { idOf, INSTANT, SFTP_SERVER } from "../kit/shapes.ts";

/** A bridge asks every few seconds. After this time without a request it is down, or cannot reach the hub. */
const SILENT_MS = 60_000;
/** How long after a change a connection without a bridge is not reported yet. */
const NEW_MS = 30_000;

export const NO_BRIDGE = {
  code: "no_bridge",
  message: "No bridge serves this connection: one should be running, and confirmed",
};

const BRIDGE_SILENT = {
  code: "bridge_silent",
  message: "The bridge of this connection does not contact the hub: it should be running, and reach the hub",
};

export const SFTP = z.strictObject({
  bridge: z.strictObject({ id: idOf("bri"), name: z.string(), seen_at: INSTANT }).nullable()
    .meta({ description: "The bridge that serves the connection" }),
  server: SFTP_SERVER.nullable()
    .meta({ description: "Where to upload files; null for a remote server, or while no bridge has a hosted server" }),
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
    why: z.enum(WHY_LEFT).meta({
      description: "Named like a running upload; without content; cut off during the upload; not matching the " +
        "patterns; over a limit; not what its `.sha256` file says",
    }),
  })).meta({ description: "Files that have not been taken for an hour", examples: [[]] }),
}).meta({ id: "ConnectionSftp" });

export type SftpView = z.infer<typeof SFTP>;

/** For those of the connections that a bridge serves, by the connection's number. */
export async function loadSftpViews(
  hub: Hub,
  organizationId: number,
  list: readonly Connection[],
): Promise<ReadonlyMap<number, SftpView>> {
  const bridged = list.filter((connection) => connectorFor(hub.registry, connection)?.bridged === true);
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
      trouble: troubleOf(hub, connection, bridge, state),
      failures_in_a_row: state?.failures ?? 0,
      lying: (state?.lying ?? []).map(({ name, since, why }) => ({ name, since: toInstant(since), why })),
    }];
  }));
}

function troubleOf(
  { db, now }: Hub,
  { updatedAt }: Connection,
  bridge: Bridge | null,
  state: BridgeState | undefined,
): SftpView["trouble"] {
  if (bridge === null) return now() - updatedAt < NEW_MS ? null : NO_BRIDGE;
  // A full hub cannot store what a bridge reports.
  if (db.isFull()) return HUB_FULL;
  return now() - bridge.seenAt > SILENT_MS ? BRIDGE_SILENT : state?.trouble ?? null;
}

/**
 * Leases the connection to a bridge if none has it, so that its server's address works at once and a check is answered.
 * Does nothing if no bridge has asked recently: the next one that asks takes the connection.
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

/** The address and host key of a hosted server. */
export function viewServer(hosted: Bridge["hosted"]): SftpView["server"] {
  return hosted === null ? null : { host: hosted.host, port: hosted.port, host_key: hosted.host_key };
}
