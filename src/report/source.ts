/** Whether a run's input was fetched from a source, and how that is called. */
import { connectorFor, type Hub } from "../hub.ts";
import type { StoredRun } from "../store/runs/runs.ts";

/** The source's name, if the hub fetches it; null: files are sent. */
export function sourceOf({ registry }: Pick<Hub, "registry">, { connection }: StoredRun): string | null {
  const connector = connection === null ? undefined : connectorFor(registry, connection);
  return connector?.input !== "fetch" ? null : connector.title;
}
