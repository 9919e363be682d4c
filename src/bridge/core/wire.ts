/** Connections as the hub lists them, turned into those that the hosted server and the poller get. */
import type { Held } from "../../model/bridge-wire.ts";
import type { BridgeConnection, SftpSecrets } from "../contract.ts";

export function toConnection(held: Held, secrets: SftpSecrets): BridgeConnection {
  const { id, organization, slug, name, mode, paused, version } = held;
  const { folder, patterns, when, after, remote } = held.settings;
  return {
    id,
    organization,
    slug,
    name,
    mode,
    paused,
    version,
    visitedAt: held.visited_at,
    settings: {
      folder,
      patterns,
      when: when.kind === "daily" ? { kind: "daily", at: when.at, timeZone: when.time_zone } : when,
      after,
      remote: remote === null
        ? null
        : { host: remote.host, port: remote.port, username: remote.username, hostKey: remote.host_key },
    },
    secrets,
    owner: `${organization} ${held.created_at}`,
    letsIn: held.lets_in,
  };
}

/** The organization's time zone and the credentials of the login change without a new version of the connection. */
export function sameOutside(a: Held, b: Held): boolean {
  return JSON.stringify([a.settings.when, a.lets_in]) === JSON.stringify([b.settings.when, b.lets_in]);
}
