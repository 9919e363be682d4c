/**
 * Brings connections that are pinned to no version up to that of their connector, when a hub starts: their settings are
 * those of the version that they were saved with, and `migrateSettings` makes the present ones of them.
 */
import type { Hub, Installed } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { Fault } from "../model/errors.ts";
import { migrateSettings } from "../runs/migrate.ts";
import { parseSettings, prepareSettings } from "../runs/settings.ts";
import { compareVersions } from "../std/semver.ts";
import { loadSecrets, sealSecrets } from "../store/connections/connection-secrets.ts";
import { type Connection, findConnectionById } from "../store/connections/connections.ts";
import { followVersion, keepSettings, listFollowed, listFollowers } from "../store/connections/upgrades.ts";
import { renameSecrets } from "./upgrade.ts";

/** What this needs of a hub, so that it can be done before there is a whole one. */
export type Following = Pick<Hub, "db" | "registry" | "secrets" | "now" | "log">;

/** Muster's own connectors all had this version when versions of settings began to be kept. */
const FIRST = "1.0.0";

/**
 * Safe to repeat. Settings of a later version stay as they are, and so do those that the connector cannot migrate: their
 * connection fails in words until an admin corrects them, and the next start tries again.
 */
export async function followConnectors(hub: Following): Promise<void> {
  for (const installed of hub.registry.values()) {
    for (const of of await listFollowed(hub.db, installed.name)) await follow(hub, installed, of);
  }
}

async function follow(hub: Following, installed: Installed, of: string | null): Promise<void> {
  const { name, version } = installed;
  const from = of ?? (hub.registry.added?.has(name) ? version : FIRST);
  if (of === version || compareVersions(from, version) > 0) return;
  // Settings of an unknown version are not migrated, and neither are states.
  if (from === version || installed.migrateSettings === undefined) return await keepSettings(hub.db, name, of, version);
  for (const connection of await listFollowers(hub.db, name, of)) {
    await bring(hub, installed, connection, from).catch((error) => {
      if (!(error instanceof Fault)) throw error;
      hub.log("settings.behind", {
        ...logged(connection),
        connector: name,
        from,
        to: version,
        why: error.code,
      });
    });
  }
}

function logged({ id, organizationId }: Connection) {
  return { organization_id: encodeId("org", organizationId), connection_id: encodeId("con", id) };
}

/** Fails with what the connector or its schema says. */
async function bring(hub: Following, installed: Installed, connection: Connection, from: string): Promise<void> {
  const { id, organizationId, settingsOf } = connection;
  let current: Connection | null = connection;
  // Again where another process has written it in between.
  while (current?.settingsOf === settingsOf && await migrate(hub, installed, current!, from) === null) {
    current = await findConnectionById(hub.db, organizationId, id);
  }
}

/** Null when the connection is no longer what is stored. */
async function migrate(hub: Following, installed: Installed, connection: Connection, from: string) {
  const { settings, secrets } = await migrateSettings(installed, { version: from, value: connection.settings });
  await prepareSettings(installed, settings);
  parseSettings(installed, settings);
  const isRenamed = Object.keys(secrets).length > 0;
  const renamed = isRenamed ? renameSecrets(await loadSecrets(hub, connection), secrets) : {};
  const sealed = await sealSecrets(hub.secrets, connection.id, renamed);
  const next = { version: installed.version, settings, secrets: sealed };
  return await followVersion(hub.db, connection, next, hub.now());
}
