/** How the stored drop of a connection is read again beside its runs: by the settings that the connection has now. */
import { connectorFor, type Hub, type Installed } from "../hub.ts";
import type { ReadOptions } from "../intake/reading.ts";
import { valuesOf } from "../model/layers.ts";
import type { Connection } from "../store/connections/connections.ts";
import type { Drop } from "../store/runs/drops.ts";
import { MAX_PACKED_BYTES } from "./input.ts";
import { optionsOf, traceSettings } from "./read-drop.ts";
import { prepareSettings } from "./settings.ts";

export interface ReadAgainBy {
  readonly connector: Installed;
  readonly options: Omit<ReadOptions, "isHeader">;
}

/** Bytes of a drop that is read in the thread of requests, where the runtime has no other. */
const MAX_BYTES_HERE = 2 * 1024 * 1024;

/** Null: the connector is not installed. */
export async function readAgainBy(
  hub: Pick<Hub, "registry" | "maxPackedBytes">,
  connection: Connection,
  drop: Drop,
): Promise<ReadAgainBy | null> {
  const connector = connectorFor(hub.registry, connection);
  if (connector === undefined) return null;
  await prepareSettings(connector, connection.settings);
  const { isHeader: _, ...options } = optionsOf(valuesOf(traceSettings(connection, connector)), drop, {
    maxPackedBytes: hub.maxPackedBytes ?? MAX_PACKED_BYTES,
    isHeader: () => true,
  });
  // What was fetched was stored by the hub itself, as UTF-8.
  return { connector, options: connector.input === "fetch" ? { ...options, charset: null } : options };
}

/** Whether reading the drop would keep requests waiting. */
export function isTooLargeHere({ dropReader }: Pick<Hub, "dropReader">, { bytes }: Drop): boolean {
  return dropReader === undefined && bytes > MAX_BYTES_HERE;
}
