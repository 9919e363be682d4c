/** The catalogue of connectors in this hub. */
import { Hono } from "hono";
import { z } from "zod";
import { AUTH_KINDS, type Connector } from "../../connector.ts";
import type { Installed, Registry } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import { COVERAGE } from "../../model/policy.ts";
import { KEY_FIELDS } from "../../model/record.ts";
import { checkSettings, prepareSettings, settingsSchemaOf } from "../../runs/settings.ts";
import { hostsOf, requiredSecrets } from "../../sources/auth.ts";
import { countByConnector } from "../../store/connections/connections.ts";
import { describe, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { requires } from "../kit/authorize.ts";
import { listOf } from "../kit/shapes.ts";
import { SCHEDULE_SHOWN } from "../kit/values.ts";

const CONNECTOR = z.strictObject({
  name: z.string().meta({ examples: ["csv-upload"] }),
  title: z.string().meta({ examples: ["CSV upload"] }),
  version: z.string().meta({ description: "Of new connections", examples: ["1.0.0"] }),
  versions: z.array(z.string()).meta({ description: "All that are installed", examples: [["1.0.0"]] }),
  api: z.int().meta({ description: "Version of the connector interface", examples: [1] }),
  origin: z.enum(["own", "added"]).meta({ description: "Muster's own, or added by the operator" }),
  from: z.string().nullable().meta({ description: "Package or file", examples: [null] }),
  digest: z.string().nullable().meta({ description: "SHA-256 of its code", examples: [null] }),
  isolated: z.boolean().meta({ description: "Whether it runs in a process without permissions" }),
  homepage: z.string().nullable(),
  notes: z.array(z.strictObject({ field: z.string().nullable(), text: z.string() })).meta({ examples: [[]] }),
  entities: z.array(z.string()).meta({ examples: [["users"]] }),
  coverage: z.record(z.string(), COVERAGE).meta({ description: "By entity", examples: [{ users: "full" }] }),
  takes_drops: z.boolean().meta({ description: "True: input is uploaded; false: the source is fetched" }),
  settings: z.record(z.string(), z.unknown()).meta({ description: "As JSON Schema", examples: [{ type: "object" }] }),
  secrets: z.array(z.strictObject({
    name: z.string().meta({ examples: ["api_key"] }),
    title: z.string().meta({ examples: ["API key"] }),
    description: z.string().nullable(),
    multiline: z.boolean(),
    required: z.boolean().nullable().meta({ description: "With default settings; null: depends on them" }),
  })).meta({ description: "Secrets of a connection, which are never shown", examples: [[]] }),
  auth: z.array(z.enum(AUTH_KINDS)).readonly()
    .meta({ description: "Ways to authorize requests, depending on the settings", examples: [["none"]] }),
  hosts: z.array(z.string()).nullable().meta({ description: "As `required`", examples: [null] }),
  mapping: z.record(z.string(), z.string().nullable()).meta({ examples: [{ id: "source_id" }] }),
  key: z.enum(KEY_FIELDS).nullable(),
  schedule: SCHEDULE_SHOWN.nullable().meta({ description: "Default schedule of its connections", examples: [null] }),
  checks: z.boolean().meta({ description: "Whether its connections can be tested" }),
  connections: z.int().meta({ description: "Connections of the organization", examples: [2] }),
  problems: z.array(z.string()).meta({ description: "Errors of the connector itself", examples: [[]] }),
}).meta({ id: "Connector" });

export type ConnectorView = z.infer<typeof CONNECTOR>;

const list = route(
  describe("listConnectors", "List connectors", { 200: listOf(CONNECTOR) }, {
    description: "The catalogue of kinds of sources that this hub knows: their settings as JSON Schema, " +
      "their secrets and their default schedule. Never paged.",
  }),
  requires("connections:read"),
  async (c) => {
    const { registry, db } = c.get("hub");
    await Promise.all([...registry.values()].map((connector) => prepareSettings(connector, {})));
    const counts = await countByConnector(db, c.get("organization").id);
    const data = [...registry.values()].map((connector) =>
      viewConnector(registry, connector, counts.get(connector.name) ?? 0)
    );
    return c.json({ data, next_cursor: null });
  },
);

function originIn({ added }: Registry, { name }: Connector<never>): ConnectorView["origin"] {
  return added?.has(name) === true ? "added" : "own";
}

function versionsIn({ pinned }: Registry, { name, version }: Installed): string[] {
  const kept = [...pinned?.values() ?? []].filter((each) => each.name === name).map((each) => each.version);
  return kept.length > 0 ? kept : [version];
}

/**
 * A connector that does not work is shown with its problems, and spoils no other's entry. To be called once its settings
 * `{}` are prepared.
 */
export function viewConnector(registry: Registry, connector: Installed, connections: number): ConnectorView {
  const problems: string[] = [];
  const settings = tried(problems, () => settingsSchemaOf(connector)) ?? { type: "object" };
  const usual = tried(problems, () => usualOf(connector)) ?? null;
  return {
    name: connector.name,
    title: connector.title,
    version: connector.version,
    versions: versionsIn(registry, connector),
    api: connector.api,
    origin: originIn(registry, connector),
    from: connector.from ?? null,
    digest: connector.isolated?.digest ?? null,
    isolated: connector.isolated !== undefined,
    homepage: connector.homepage ?? null,
    notes: (connector.notes ?? []).map(({ field = null, text }) => ({ field, text })),
    entities: (["departments", "users"] as const).filter((entity) => connector.coverage[entity] !== undefined),
    coverage: { ...connector.coverage },
    takes_drops: connector.input === "drop",
    settings,
    secrets: Object.entries(connector.secrets ?? {}).map(([name, { title, description, multiline }]) => ({
      name,
      title,
      description: description ?? null,
      multiline: multiline ?? false,
      required: usual === null ? null : usual.required.includes(name),
    })),
    auth: connector.authKinds ?? ["none"],
    hosts: usual?.hosts ?? null,
    mapping: { ...connector.mapping },
    key: connector.key ?? null,
    schedule: connector.schedule ?? null,
    checks: connector.check !== undefined,
    connections,
    problems,
  };
}

/** With settings that name nothing; null: the connector needs some. */
function usualOf(connector: Connector<never>): { hosts: string[]; required: string[] } | null {
  const checked = checkSettings(connector, {});
  if ("issues" in checked) return null;
  const settings = checked.settings as never;
  return { hosts: hostsOf(connector, settings), required: requiredSecrets(connector, settings) };
}

function tried<T>(problems: string[], work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    problems.push(error.message);
    return null;
  }
}

export const connectorRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list);
