/** What the hub answers a bridge about its connections, and how the bridge reads it. */
import type { SftpSettings, When } from "../../model/sftp.ts";
import type { Returning } from "../bring-back.ts";
import type { BridgeConnection, SftpSecrets } from "../contract.ts";

/** A connection as the hub answers it. */
export interface Held
  extends Pick<BridgeConnection, "id" | "organization" | "slug" | "name" | "mode" | "paused" | "version"> {
  readonly settings: {
    readonly folder: string;
    readonly patterns: readonly string[];
    readonly when: { kind: "at_once" } | { kind: "every"; minutes: number } | {
      kind: "daily";
      at: string;
      time_zone: string;
    };
    readonly after: SftpSettings["after"];
    readonly remote: { host: string; port: number; username: string; host_key: string | null } | null;
  };
  readonly visited_at: number | null;
  /** Moves when the secrets do; null: there are none. */
  readonly secrets_version: string | null;
  readonly created_at: number;
  readonly lets_in: readonly string[];
  readonly check: string | null;
  readonly unsettled: readonly Unsettled[];
  readonly returning: readonly Returning[];
}

export interface Unsettled {
  readonly id: string;
  readonly folder: string;
  readonly name: string;
  readonly bytes: number;
  readonly modified_at: number;
}

/** A connection whose files may hold people who were erased; whose they are is not told. */
export interface Erasure {
  readonly connection: string;
  readonly organization: string;
  readonly asked_at: number;
}

export interface Connections {
  readonly connections: readonly Held[];
  readonly erasures?: readonly Erasure[];
  readonly ask_every_seconds: number;
}

export function toConnection(held: Held, secrets: SftpSecrets): BridgeConnection {
  const { id, organization, slug, name, mode, paused, version, settings } = held;
  const { folder, patterns, after, remote } = settings;
  const when: When = settings.when.kind === "daily"
    ? { kind: "daily", at: settings.when.at, timeZone: settings.when.time_zone }
    : settings.when;
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
      when,
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

/** The organization's time zone, and who may log in, are not the connection's own and move without it. */
export function sameOutside(a: Held, b: Held): boolean {
  return JSON.stringify([a.settings.when, a.lets_in]) === JSON.stringify([b.settings.when, b.lets_in]);
}
