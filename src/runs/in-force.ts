/**
 * What is in force for a connection's next run, and where each value comes from. Made of the same functions that runs
 * resolve their settings with. No I/O.
 */
import type { Connector } from "../connector.ts";
import { connectorFor, type Hub } from "../hub.ts";
import type { Schedule } from "../model/connection.ts";
import { GUARD_NAMES, type GuardName, type GuardSettings, traceGuards } from "../model/guards.ts";
import { encodeId } from "../model/id.ts";
import { type InForce, type Traced, traceLayers } from "../model/layers.ts";
import { DEFAULT_PRIORITY } from "../model/policy.ts";
import type { KeyField } from "../model/record.ts";
import { traceSftp, type When } from "../model/sftp.ts";
import { sameStored } from "../reconcile/image.ts";
import { pointerOf } from "../std/json-pointer.ts";
import type { Connection } from "../store/connections/connections.ts";
import type { Organization } from "../store/organizations.ts";
import { traceKey } from "./input.ts";
import { traceValueSettings } from "./plans/value-rules.ts";
import { traceSettings } from "./read-drop.ts";
import { checkSettings } from "./settings.ts";
import { tracePolicy } from "./stage.ts";
import { toValues } from "./template-values.ts";

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

/** `applied`: what a template has set in the connection, by place; null: it follows none. */
export function inForce(
  hub: Hub,
  connection: Connection,
  organization: Organization,
  applied: Readonly<Record<string, unknown>> | null,
): AllInForce {
  const all = withoutTemplate(hub, connection, organization);
  return applied === null ? all : byTemplate(all, fromTemplate(connection, applied));
}

/** The places whose value in the connection is the one that the template has set. */
function fromTemplate(connection: Connection, applied: Readonly<Record<string, unknown>>): ReadonlySet<string> {
  const own = [...toValues(connection)];
  return new Set(own.filter(([place, value]) => sameStored(applied[place], value)).map(([place]) => place));
}

/** Settings of when files are taken over SFTP. */
const TIMES = ["every_minutes", "daily_at"].map((name) => pointerOf(["settings", name]));

/** Templates set values of connections: those that are still the template's are shown as that. */
function byTemplate(all: AllInForce, places: ReadonlySet<string>): AllInForce {
  const at = <Value>(found: InForce<Value>, ...wanted: string[]): InForce<Value> =>
    found.from === "connection" && wanted.some((place) => places.has(place)) ? { ...found, from: "template" } : found;
  const each = <Values extends Readonly<Record<string, unknown>>>(traced: Traced<Values>, ...path: string[]) =>
    Object.fromEntries(
      Object.entries<InForce<unknown>>(traced).map(([name, found]) => [name, at(found, pointerOf([...path, name]))]),
    ) as Traced<Values>;
  return {
    settings: each(all.settings, "settings"),
    folder: all.folder && at(all.folder, pointerOf(["settings", "folder"])),
    when: all.when && at(all.when, "/schedule", ...TIMES),
    key: at(all.key, "/key"),
    policy: each(all.policy, "policy"),
    limits: Object.fromEntries(
      GUARD_NAMES.map((guard) => [guard, each({ ...all.limits[guard] }, "limits", guard)]),
    ) as AllInForce["limits"],
  };
}

function withoutTemplate(hub: Hub, connection: Connection, organization: Organization): AllInForce {
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
