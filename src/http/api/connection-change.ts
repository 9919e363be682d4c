/** What a new or a changed connection may be: checked, and made ready to be stored. Nothing is written here. */
import type { Context } from "hono";
import { z } from "zod";
import { type Pin, pinOf } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import { LIMITS, type Limits } from "../../model/guards.ts";
import { POLICY, type Policy } from "../../model/policy.ts";
import { getPreset } from "../../model/preset.ts";
import { type CustomField, KEY_FIELDS } from "../../model/record.ts";
import { prepareSettings } from "../../runs/settings.ts";
import type { Connection, ConnectionInput, SecretChanges } from "../../store/connections/connections.ts";
import { loadFieldsToMake } from "../../store/people/preset-fields.ts";
import type { Env } from "../kit/env.ts";
import { merge, mergeable } from "../kit/merge.ts";
import { readsPeople } from "../kit/reading.ts";
import { EMAIL, EXPECTED_BY, NAME, PRESET, SCHEDULE, SLUG } from "../kit/values.ts";
import {
  checkMapping,
  checkSchedule,
  findConnector,
  findOwnConnector,
  readSettings,
  slugOf,
} from "./connection-input.ts";
import { changeSecrets, checkSecrets, SECRETS, storedSecrets } from "./connection-secrets.ts";
import { type Guarded, loosened, requireDecider, requireSameSource } from "./loosening.ts";
import { keyAfter } from "./preset-key.ts";

const INPUT = z.strictObject({
  name: NAME,
  slug: SLUG,
  preset: PRESET.nullable(),
  settings: z.record(z.string(), z.unknown()),
  key: z.enum(KEY_FIELDS).nullable(),
  /** Header of the source → field; null: not processed. */
  mapping: z.record(z.string().min(1).max(254), z.string().nullable()),
  secrets: SECRETS,
  schedule: SCHEDULE.nullable(),
  expected_by: EXPECTED_BY.meta({ id: "ExpectedBy" }).nullable(),
  technical_contact: EMAIL.nullable().meta({
    description: "Who is mailed about this connection; null: the technical contact of the organization",
  }),
});

/** A new connection. */
export const NEW = INPUT.partial().extend({
  connector: z.string(),
  name: NAME,
  policy: POLICY.meta({ id: "PolicyInput" }).optional(),
  limits: LIMITS.meta({ id: "LimitsInput" }).optional(),
}).meta({ id: "ConnectionInput", examples: [{ connector: "csv-upload", name: "HR file" }] });

/** Changes of a connection. */
export const CHANGES = INPUT.extend({
  policy: mergeable(POLICY).meta({ id: "PolicyChanges" }),
  limits: mergeable(LIMITS).meta({ id: "LimitsChanges" }),
}).partial().meta({ id: "ConnectionChanges", examples: [{ policy: { missing: "deactivate" } }] });

export type AskedNew = z.infer<typeof NEW>;
export type AskedChanges = z.infer<typeof CHANGES>;

export interface PreparedNew {
  readonly input: ConnectionInput & Pin & Pick<Connection, "settings" | "key">;
  /** Custom fields that its preset brings. */
  readonly fields: readonly CustomField[];
}

/** The new connection of an organization. Fails unless it may be made with this token. */
export async function prepareNew(c: Context<Env>, organizationId: number, asked: AskedNew): Promise<PreparedNew> {
  const { db, registry } = c.get("hub");
  const connector = findConnector(c.get("hub"), asked.connector);
  await checkMapping(db, organizationId, asked.mapping);
  checkSecrets(connector, asked.secrets);
  checkSchedule(connector, asked.schedule);
  await prepareSettings(connector, asked.settings ?? {});
  const settings = readSettings(connector, asked.settings ?? {});
  requireSameSource(c, connector, null, settings);
  if (namesSecrets(asked.secrets)) requireDecider(c, "setting secrets of a connection");
  requireMayBeMailed(c, asked.technical_contact);
  const pin = pinOf(registry, connector);
  const { policy = {}, limits = {} } = asked;
  const preset = asked.preset ?? null;
  const usual = { connector: asked.connector, connectorDigest: pin.connectorDigest, preset, policy: {}, limits: {} };
  requireNotLooser(c, usual, { ...usual, policy, limits });
  const input = {
    connector: asked.connector,
    ...pin,
    name: asked.name,
    slug: asked.slug ?? slugOf(asked.name),
    preset,
    settings,
    settingsOf: pin.connectorDigest === null ? connector.version : null,
    key: asked.key ?? getPreset(preset).key,
    mapping: asked.mapping ?? {},
    policy,
    limits,
    schedule: asked.schedule === undefined ? connector.schedule ?? null : asked.schedule,
    expectedBy: asked.expected_by ?? null,
    technicalContact: asked.technical_contact ?? null,
  };
  return { input, fields: await loadFieldsToMake(db, organizationId, asked.preset) };
}

export interface PreparedChange {
  readonly changes: Partial<ConnectionInput>;
  /** Undefined: they stay as they are. */
  readonly secrets: SecretChanges | undefined;
  /** Custom fields that its new preset brings. */
  readonly fields: readonly CustomField[];
}

/** What changes of the connection. Fails unless it may be changed so with this token. */
export async function prepareChange(
  c: Context<Env>,
  current: Connection,
  asked: AskedChanges,
): Promise<PreparedChange> {
  const { db } = c.get("hub");
  const { policy, limits, settings, secrets, expected_by, technical_contact, ...plain } = asked;
  await checkMapping(db, current.organizationId, asked.mapping);
  const changes: Partial<ConnectionInput> = { ...plain };
  // A connection whose connector is no longer installed can still be renamed or paused.
  const needsConnector = settings !== undefined || secrets !== undefined || asked.schedule != null;
  const connector = needsConnector ? findOwnConnector(c.get("hub"), current) : null;
  if (settings) await prepareSettings(connector!, settings, current.settings);
  if (settings) changes.settings = readSettings(connector!, settings);
  if (settings && current.connectorDigest === null) changes.settingsOf = connector!.version;
  if (policy) changes.policy = merge<Policy>(current.policy, policy);
  if (limits) changes.limits = merge<Limits>(current.limits, limits);
  if (expected_by !== undefined) changes.expectedBy = expected_by;
  if (technical_contact !== undefined) changes.technicalContact = technical_contact;
  changes.key = await keyAfter(c.get("hub"), current, asked);
  requireNotLooser(c, current, { ...current, ...changes });
  if (namesSecrets(secrets)) requireDecider(c, "setting secrets of a connection");
  requireMayBeMailed(c, technical_contact);
  if (changes.settings) requireSameSource(c, connector!, current.settings, changes.settings);
  const fields = asked.preset === current.preset
    ? []
    : await loadFieldsToMake(db, current.organizationId, asked.preset);
  if (connector === null) return { changes, secrets: undefined, fields };
  checkSecrets(connector, secrets, secrets === undefined ? [] : await storedSecrets(c, current));
  checkSchedule(connector, asked.schedule);
  return { changes, secrets: await changeSecrets(c, connector, current, changes.settings, secrets), fields };
}

function requireNotLooser(c: Context<Env>, before: Guarded, after: Guarded): void {
  const looser = loosened(c, before, after);
  if (looser !== null) requireDecider(c, looser);
}

/** Mails show people's values, and have links to approve runs: who names their reader has to be allowed both. */
function requireMayBeMailed(c: Context<Env>, contact: string | null | undefined): void {
  if (contact == null) return;
  const what = "setting the technical contact of a connection";
  requireDecider(c, what);
  if (readsPeople(c)) return;
  throw new Fault("forbidden", `The token lacks the scope "users:read", which is needed for ${what}`);
}

/** Whether a secret is set. Clearing one gives nobody access. */
function namesSecrets(asked: Readonly<Record<string, string | null>> | undefined): boolean {
  return Object.values(asked ?? {}).some((secret) => secret !== null);
}
