/** What an upgrade of its connector makes of a connection: settings, names of secrets, state. Writes nothing. */
import { findPinned, type Hub, type Installed, type PinnedVersion } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import { type Migrated, migrateSettings, migrateState } from "../runs/migrate.ts";
import { compareVersions } from "../std/semver.ts";
import { findLastRead } from "../store/connections/clocks.ts";
import { listSecrets, TOKENS } from "../store/connections/connection-secrets.ts";
import type { Connection } from "../store/connections/connections.ts";
import { authOf, requiredSecrets } from "./auth.ts";

/** The version that the connection can be upgraded to. Fails with `unprocessable`, with what to do. */
export function findNext(hub: Pick<Hub, "registry">, connection: Connection, to: string): PinnedVersion {
  const { connector, connectorVersion } = connection;
  const version = pinOf(connection);
  const found = findPinned(hub.registry, connector, to);
  if (found === null) {
    throw new Fault("unprocessable", `Version ${to} of "${connector}" is not installed here; the operator can add it`);
  }
  if (found.digest === connection.connectorDigest) {
    throw new Fault("unprocessable", `The connection has version ${connectorVersion} of "${connector}" already`);
  }
  if (compareVersions(to, version) < 0) {
    throw new Fault(
      "unprocessable",
      `Version ${to} is older than ${version}, and cannot read what that one has stored; use the mode "back"`,
    );
  }
  return found;
}

/** The version that the connection is pinned to. Fails with `unprocessable` if it is not pinned to any. */
export function pinOf({ connector, connectorVersion, connectorDigest }: Connection): string {
  if (connectorVersion !== null && connectorDigest !== null) return connectorVersion;
  throw new Fault(
    "unprocessable",
    `"${connector}" is not pinned to a version: it comes with the hub, and is upgraded with it`,
  );
}

/** As migrateSettings, with those secrets alone that the connection has. `own`: settings that are named instead. */
export async function migrate(
  hub: Hub,
  connection: Connection,
  { installed }: PinnedVersion,
  own: Readonly<Record<string, unknown>> | undefined,
): Promise<Migrated & { readonly names: readonly string[] }> {
  const from = { version: pinOf(connection), value: connection.settings };
  const { settings, secrets } = await migrateSettings(installed, from);
  const names = [...(await listSecrets(hub.db, [connection])).get(connection.id)!.keys()];
  const renamed = Object.entries(secrets).filter(([old, name]) => old !== name && names.includes(old));
  return { settings: own ?? settings, secrets: Object.fromEntries(renamed), names };
}

/** The connection's secrets by the new version: those that it needs and has not, and those that it has no use for. */
export function secretsAfter(
  installed: Installed,
  settings: never,
  { secrets, names }: Pick<Migrated, "secrets"> & { readonly names: readonly string[] },
  given: readonly string[],
): { readonly lacking: readonly string[]; readonly former: readonly string[] } {
  const has = new Set([...renameAll(names, secrets), ...given]);
  const lacking = requiredSecrets(installed, settings).filter((name) => !has.has(name));
  const isToBeAuthorized = authOf(installed, settings).kind === "oauth2" && !has.has(TOKENS);
  const former = [...has].filter((name) => name !== TOKENS && !Object.hasOwn(installed.secrets ?? {}, name));
  return { lacking: isToBeAuthorized ? [...lacking, "authorization"] : lacking, former };
}

function renameAll(names: readonly string[], renamed: Readonly<Record<string, string>>): string[] {
  return names.map((name) => Object.hasOwn(renamed, name) ? renamed[name]! : name);
}

/** What is to be stored when secrets get other names: new values by name, null for names that are free then. */
export function renameSecrets(
  values: Readonly<Record<string, string>>,
  renamed: Readonly<Record<string, string>>,
): Record<string, string | null> {
  const moves = Object.entries(renamed).filter(([old]) => Object.hasOwn(values, old));
  return {
    ...Object.fromEntries(moves.map(([old]) => [old, null])),
    ...Object.fromEntries(moves.map(([old, name]) => [name, values[old]!])),
  };
}

/** What becomes of the state of the last reads. `none`: there is no state. */
export async function stateAfter(
  hub: Hub,
  connection: Connection,
  installed: Installed,
): Promise<"kept" | "read_anew" | "none"> {
  let kept = false, lost = false;
  for (const entity of ["users", "departments"] as const) {
    const last = await findLastRead(hub.db, connection, entity);
    if (last === null) continue;
    const state = await migrateState(installed, { version: last.version ?? null, value: last.state });
    if (state === null) lost = true;
    else kept = true;
  }
  return lost ? "read_anew" : kept ? "kept" : "none";
}
