/**
 * What is in force for a connection's next run, and where each value comes from. Made of the same functions that runs
 * resolve their settings with. No I/O.
 */
import type { Connector } from "../connector.ts";
import { connectorFor, type Hub } from "../hub.ts";
import type { Schedule } from "../model/connection.ts";
import { type GuardName, type GuardSettings, traceGuards } from "../model/guards.ts";
import { encodeId } from "../model/id.ts";
import { type InForce, type Traced, traceLayers } from "../model/layers.ts";
import { DEFAULT_PRIORITY } from "../model/policy.ts";
import type { KeyField } from "../model/record.ts";
import { traceSftp, type When } from "../model/sftp.ts";
import type { Connection } from "../store/connections/connections.ts";
import type { Organization } from "../store/organizations.ts";
import { traceKey } from "./input.ts";
import { traceValueSettings } from "./plans/value-rules.ts";
import { traceSettings } from "./read-drop.ts";
import { checkSettings } from "./settings.ts";
import { tracePolicy } from "./stage.ts";

export interface AllInForce {
  readonly settings: Traced<Readonly<Record<string, unknown>>>;
  /** Null: nothing is dropped in a folder. */
  readonly folder: InForce<string> | null;
  /** When files are taken, or the source is fetched; null: it is handed its input. */
  readonly when: InForce<When | Schedule | null> | null;
  /** A null value: the first input decides. */
  readonly key: InForce<KeyField | null>;
  readonly policy: Traced<Readonly<Record<string, unknown>>>;
  readonly limits: { readonly [name in GuardName]: Traced<GuardSettings> };
}

export function inForce(hub: Hub, connection: Connection, organization: Organization): AllInForce {
  const connector = connectorFor(hub.registry, connection) ?? null;
  const sftp = connector?.bridged === true ? sftpOf(connector, connection, organization) : null;
  return {
    settings: { ...traceValueSettings({ connection, organization }), ...settingsOf(connector, connection) },
    folder: sftp?.folder ?? null,
    when: sftp?.when ?? (connector?.input === "fetch" ? scheduleOf(connector, connection, organization) : null),
    key: traceKey({ hub, connection }),
    policy: policyOf(hub, connection),
    limits: traceGuards(connection.limits),
  };
}

/** Settings that the connector cannot read, or whose connector is not installed, are as they are stored: no run can start. */
function settingsOf(connector: Connector<never> | null, connection: Connection): AllInForce["settings"] {
  if (connector !== null && "settings" in checkSettings(connector, connection.settings)) {
    return traceSettings(connection, connector);
  }
  return traceLayers<Readonly<Record<string, unknown>>>(["default", {}], ["connection", connection.settings]);
}

function sftpOf(connector: Connector<never>, { settings, preset }: Connection, { timezone }: Organization) {
  const checked = checkSettings(connector, settings);
  return "settings" in checked ? traceSftp(checked.settings as never, preset, timezone) : null;
}

/** A connection gets its connector's schedule when it is made: while it has that one, it is not its own. */
function scheduleOf(
  connector: Connector<never>,
  { schedule }: Connection,
  { timezone }: Organization,
): InForce<Schedule | null> {
  const isUsual = JSON.stringify(schedule) === JSON.stringify(connector.schedule ?? null);
  const value = schedule !== null && "cron" in schedule ? { timezone, ...schedule } : schedule;
  return { value, from: !isUsual ? "connection" : schedule === null ? "default" : "connector" };
}

function policyOf(hub: Hub, connection: Connection): AllInForce["policy"] {
  const traced = tracePolicy(connection, hub);
  const { priority } = traceLayers<{ priority: number }>(
    ["default", { priority: DEFAULT_PRIORITY }],
    ["connection", { priority: connection.policy.priority ?? undefined }],
  );
  const { value, from } = traced.protected;
  return { ...traced, protected: { value: [...value].map((id) => encodeId("usr", id)), from }, priority };
}
