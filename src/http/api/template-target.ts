/** What a template makes of one organization: planned against what is stored, refused, or written as one batch. */
import type { Context } from "hono";
import { connectorFor, type Installed, missingConnector } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import type { Limits } from "../../model/guards.ts";
import type { Policy } from "../../model/policy.ts";
import { getPreset } from "../../model/preset.ts";
import { sameStored } from "../../reconcile/image.ts";
import { prepareSettings } from "../../runs/settings.ts";
import {
  type Content,
  mergeValues,
  type OwnValue,
  toContent,
  toValues,
  type ValueChange,
  type Values,
} from "../../runs/template-values.ts";
import { pathOf, pointerOf } from "../../std/json-pointer.ts";
import type { ConnectionTemplate } from "../../store/connections/connection-templates.ts";
import { type Connection, createConnection, updateConnection } from "../../store/connections/connections.ts";
import {
  followTemplate,
  isAsLoaded,
  noteUse,
  type Target,
  whileBothStay,
} from "../../store/connections/template-uses.ts";
import { byOf } from "../kit/authorize.ts";
import type { Env } from "../kit/env.ts";
import {
  type AskedChanges,
  type AskedNew,
  prepareChange,
  type PreparedChange,
  type PreparedNew,
  prepareNew,
} from "./connection-change.ts";
import { findConnector } from "./connection-input.ts";
import { lackingSecrets } from "./connection-secrets.ts";

/** `adopted`: it was there, and follows the template from now on. */
export type Outcome = "created" | "adopted" | "updated" | "unchanged";

/** What the template makes of the organization's connection. Nothing of it is written yet. */
export interface Planned {
  readonly outcome: Outcome;
  readonly changes: readonly ValueChange[];
  readonly kept: readonly OwnValue[];
  /** Keys of custom fields that the preset brings. */
  readonly customFields: readonly string[];
  readonly secretsCleared: boolean;
  readonly secretsRequired: readonly string[];
  /** What is to be written. */
  readonly write: Write;
}

type Write =
  | { readonly kind: "create"; readonly prepared: PreparedNew; readonly applied: Values }
  | {
    readonly kind: "change";
    readonly current: Connection;
    readonly prepared: PreparedChange;
    readonly applied: Values;
  }
  /** The connection needs no change, and its template's values are noted. */
  | { readonly kind: "follow"; readonly current: Connection; readonly applied: Values }
  | { readonly kind: "none"; readonly current: Connection };

/**
 * `given`: settings that are the organization's own. Fails where the template cannot be applied to it, or not with this
 * token.
 */
export async function planTarget(
  c: Context<Env>,
  template: ConnectionTemplate,
  target: Target,
  given: Readonly<Record<string, unknown>>,
): Promise<Planned> {
  const { connection, use } = target;
  const connector = connectorAt(c, template, target);
  // What a connection has before anything is set.
  const usual = toValues({ preset: null, schedule: connector.schedule ?? null });
  const applied = toValues({ ...template, schedule: template.schedule ?? connector.schedule ?? null });
  const own = connection === null
    ? new Map([...usual, ...toValues({ settings: given })])
    : toValues({ ...connection, settings: { ...connection.settings, ...given } });
  const before = use === null ? usual : new Map(Object.entries(use.applied));
  const merged = mergeValues(before, applied, own);
  const changes = [...changesOf(given, connection?.settings ?? {}), ...merged.changes];
  const facts = { kept: merged.kept, secretsCleared: false, customFields: [] };
  if (connection === null) {
    const prepared = await prepareNew(c, target.organization.id, newOf(template, merged.values));
    const secretsRequired = await lackingIn(connector, prepared.input.settings, new Map());
    return {
      ...facts,
      outcome: "created",
      changes: withKey(changes, null, prepared.input.key),
      customFields: prepared.fields.map(({ key }) => key),
      secretsRequired,
      write: { kind: "create", prepared, applied },
    };
  }
  if (changes.length > 0) {
    const prepared = await prepareChange(c, connection, changedOf(connection, applied, merged.values, changes));
    const secretsCleared = prepared.secrets?.clear === true && target.secrets.size > 0;
    const settings = (prepared.changes.settings ?? connection.settings) as Record<string, unknown>;
    return {
      ...facts,
      outcome: use === null ? "adopted" : "updated",
      changes: withKey(changes, connection.key, prepared.changes.key),
      customFields: prepared.fields.map(({ key }) => key),
      secretsCleared,
      secretsRequired: await lackingIn(connector, settings, secretsCleared ? new Map() : target.secrets),
      write: { kind: "change", current: connection, prepared, applied },
    };
  }
  const isNoted = use?.version === template.version && sameStored(use.applied, Object.fromEntries(applied));
  return {
    ...facts,
    outcome: use === null ? "adopted" : "unchanged",
    changes,
    secretsRequired: await lackingIn(connector, connection.settings, target.secrets),
    write: isNoted ? { kind: "none", current: connection } : { kind: "follow", current: connection, applied },
  };
}

/** Writes what was planned, as one batch. The connection afterwards; null: something has changed since, so plan again. */
export async function writeTarget(
  c: Context<Env>,
  template: ConnectionTemplate,
  { organization }: Target,
  write: Write,
): Promise<Pick<Connection, "id" | "slug"> | null> {
  if (write.kind === "none") return write.current;
  const { db, now } = c.get("hub");
  const by = byOf(c), at = now();
  const whole = whileBothStay(db, template, organization);
  const note = { template, organization, applied: Object.fromEntries(write.applied) };
  if (write.kind === "create") {
    const { input, fields } = write.prepared;
    const also = (id: number) => noteUse(db, { id, organizationId: organization.id }, note, at, by);
    return await createConnection(whole, organization.id, input, at, by, { fields, also });
  }
  const { current } = write;
  if (write.kind === "follow") return await followTemplate(whole, current, note, at, by) ? current : null;
  const { changes, ...others } = write.prepared;
  const also = noteUse(db, current, note, at, by, isAsLoaded(current));
  return await updateConnection(whole, current, changes, at, by, { ...others, also });
}

/** The connector that settings are for: of a connection that is there, the version that it is pinned to. */
function connectorAt(c: Context<Env>, template: ConnectionTemplate, { connection, use }: Target): Installed {
  const hub = c.get("hub");
  if (connection === null) return findConnector(hub, template.connector);
  const { slug, connector } = connection;
  if (connector !== template.connector) {
    throw new Fault(
      "conflict",
      `There is a connection "${slug}" of the connector "${connector}", and the template is for ` +
        `"${template.connector}"; give the template another slug`,
    );
  }
  if (use !== null && use.templateId !== template.id) {
    throw new Fault("conflict", `The connection "${slug}" follows another template; give this one another slug`);
  }
  const installed = connectorFor(hub.registry, connection);
  if (installed !== undefined) return installed;
  throw new Fault("unprocessable", missingConnector(connection));
}

/** Settings that the request gives, where the connection has others. */
function changesOf(
  given: Readonly<Record<string, unknown>>,
  settings: Readonly<Record<string, unknown>>,
): ValueChange[] {
  return Object.entries(given).filter(([name, value]) => !sameStored(settings[name], value))
    .map(([name, value]) => ({ field: pointerOf(["settings", name]), before: settings[name], after: value }));
}

/** A key that a preset brings is a change like those that the template names. */
function withKey(changes: readonly ValueChange[], before: string | null, after: string | null | undefined) {
  if (after === undefined || after === before || changes.some(({ field }) => field === "/key")) return changes;
  return [...changes, { field: "/key", before: before ?? undefined, after: after ?? undefined }];
}

function newOf({ connector, name, slug }: ConnectionTemplate, values: Values): AskedNew {
  return { connector, name, slug, ...toContent(values) } as AskedNew;
}

/** The change as a request for it would be. */
function changedOf(
  current: Connection,
  applied: Values,
  values: Values,
  changes: readonly ValueChange[],
): AskedChanges {
  const changed = new Set(changes.map(({ field }) => pathOf(field)[0]));
  const content = toContent(values);
  // A new preset brings its key, unless the template names one, or the connection has one that no preset has brought.
  const { key } = content, isNamed = applied.has("/key") || key !== getPreset(current.preset).key;
  if (changed.has("preset") && key !== null && isNamed) changed.add("key");
  const asked: Record<keyof Content, unknown> = {
    ...content,
    policy: withNulls<Policy>(current.policy, content.policy),
    limits: withNulls<Limits>(current.limits, content.limits),
  };
  return Object.fromEntries(Object.entries(asked).filter(([name]) => changed.has(name)));
}

/** A change that leaves `next`: null for what it does not have any more. */
function withNulls<Settings extends object>(before: Settings, next: Settings): Record<string, unknown> {
  return { ...Object.fromEntries(Object.keys(before).map((name) => [name, null])), ...next };
}

async function lackingIn(
  connector: Installed,
  settings: Readonly<Record<string, unknown>>,
  set: ReadonlyMap<string, number>,
): Promise<string[]> {
  await prepareSettings(connector, settings);
  return lackingSecrets(connector, settings, set);
}
