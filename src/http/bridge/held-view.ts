/** Connections as the bridge that holds them sees them: settings, credentials, and what is to be done for them. */
import { keptName } from "../../bridge/places.ts";
import { connectorFor, type Hub } from "../../hub.ts";
import type { Held, Returning, Unsettled } from "../../model/bridge-wire.ts";
import { encodeId } from "../../model/id.ts";
import { resolveSftp, type SftpSettings } from "../../model/sftp.ts";
import { failureOf } from "../../notify/visits.ts";
import { checkSettings, prepareSettings } from "../../runs/settings.ts";
import { passwordProof } from "../../security/sftp-login.ts";
import {
  type BridgeFile,
  listReturning,
  listUnsettled,
  type Returning as EndedFile,
} from "../../store/bridges/bridge-files.ts";
import { type Held as Lease, listHeldSecrets } from "../../store/bridges/bridge-leases.ts";
import { type BridgeState, listAskedChecks, listHeldStates } from "../../store/bridges/bridge-states.ts";
import { answerOf } from "./returned.ts";
import type { Bridge } from "../../store/bridges/bridges.ts";
import { listHeldLogins, type SftpLoginWithKeys } from "../../store/bridges/sftp-logins.ts";

/** Leaves out connections whose stored settings the connector no longer accepts. */
export async function viewHeld(hub: Hub, bridge: Bridge, leases: readonly Lease[]): Promise<Held[]> {
  const { db, now } = hub;
  const ended = await listReturning(db, bridge.id, now());
  const unsettled = await listUnsettled(db, bridge.id);
  const checks = await listAskedChecks(db, bridge.id, now());
  const logins = new Map((await listHeldLogins(db, bridge.id)).map((each) => [each.login.connectionId, each]));
  const secrets = await listHeldSecrets(db, bridge.id);
  const states = await listHeldStates(db, bridge.id);
  const views = leases.map(async ({ connection, organization }): Promise<Held | null> => {
    const { id, slug, name, version, preset, createdAt } = connection;
    const connector = connectorFor(hub.registry, connection)!;
    await prepareSettings(connector, connection.settings);
    const checked = checkSettings(connector, connection.settings);
    if ("issues" in checked) {
      hub.log("bridge.settings_unreadable", { connection: encodeId("con", id) });
      return null;
    }
    const settings = resolveSftp(checked.settings as never, preset, organization.timezone);
    const check = checks.find(({ connectionId }) => connectionId === id);
    const mine = ended.filter(({ file }) => file.connectionId === id);
    return {
      id: encodeId("con", id),
      organization: encodeId("org", organization.id),
      slug,
      name,
      mode: settings.remote === null ? "hosted" : "remote",
      paused: connection.pausedAt !== null,
      version,
      settings: viewSettings(settings),
      visited_at: visitedAt(states.get(id)),
      secrets_version: versionOf(secrets.get(id)),
      created_at: createdAt,
      lets_in: letsIn(logins.get(id)),
      check: check === undefined ? null : encodeId("chk", check.id),
      unsettled: unsettled.filter(({ connectionId }) => connectionId === id).map(viewUnsettled),
      returning: await Promise.all(mine.map((each) => viewReturning(hub, each))),
    };
  });
  return (await Promise.all(views)).filter((view) => view !== null);
}

/** 0 after a failed visit, so that the next bridge visits at once: a daily visit would otherwise be a day late. */
function visitedAt(state: BridgeState | undefined): number | null {
  return state === undefined ? null : failureOf(state.trouble) !== null ? 0 : state.seenAt;
}

/** The credentials of a connection's login. Pausing the connection changes nothing: files are taken, and runs wait. */
function letsIn(found: SftpLoginWithKeys | undefined): string[] {
  if (found === undefined) return [];
  const { passwordHash } = found.login;
  const keys = found.keys.map(({ fingerprint }) => fingerprint);
  return passwordHash === null ? keys : [passwordProof(passwordHash), ...keys];
}

/** Changes whenever a secret is set or cleared; null: there are no secrets. */
function versionOf(secrets: ReadonlyMap<string, number> | undefined): string | null {
  if (secrets === undefined || secrets.size === 0) return null;
  return [...secrets].sort().map(([name, at]) => `${name}:${at}`).join();
}

function viewUnsettled({ id, folder, name, bytes, modifiedAt, takenAt }: BridgeFile): Unsettled {
  return { id: encodeId("fil", id), folder, name, bytes, modified_at: modifiedAt, kept_as: keptName(name, takenAt) };
}

async function viewReturning(hub: Hub, { file, errorCode }: EndedFile): Promise<Returning> {
  const report = await answerOf(hub, file);
  return {
    id: encodeId("fil", file.id),
    kept_as: keptName(file.name, file.takenAt),
    report: report?.name ?? null,
    failed: errorCode === "decryption_failed",
  };
}

function viewSettings({ folder, patterns, when, after, remote }: SftpSettings): Held["settings"] {
  return {
    folder,
    patterns,
    when: when.kind === "daily" ? { kind: "daily", at: when.at, time_zone: when.timeZone } : when,
    after,
    remote: remote === null
      ? null
      : { host: remote.host, port: remote.port, username: remote.username, host_key: remote.hostKey },
  };
}
