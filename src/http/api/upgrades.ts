/** Upgrades of a connection to another version of its connector: shown as a plan of people, applied, taken back. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { connectorFor, type PinnedVersion } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import type { RunUpgrade } from "../../model/run.ts";
import { sameStored } from "../../reconcile/image.ts";
import { logRun } from "../../runs/log.ts";
import { parseSettings, prepareSettings } from "../../runs/settings.ts";
import { usualCoverage } from "../../runs/receive-drop.ts";
import { destinationsOf } from "../../sources/auth.ts";
import { findNext, migrate, pinOf, renameSecrets, secretsAfter, stateAfter } from "../../sources/upgrade.ts";
import { loadSecrets, sealSecrets } from "../../store/connections/connection-secrets.ts";
import type { Connection } from "../../store/connections/connections.ts";
import {
  findFormer,
  findLastInput,
  type Former,
  isBusy,
  queueUpgradePlan,
  undoUpgrade,
  upgradeConnection,
} from "../../store/connections/upgrades.ts";
import { findRun } from "../../store/runs/runs.ts";
import { decodeId } from "../../model/id.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, json, PREFER, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { waitForNew } from "../kit/prefer.ts";
import { RUN } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { requireMatch, withVersion, writeVersion } from "../kit/version.ts";
import { readSettings } from "./connection-input.ts";
import { checkSecrets, SECRETS } from "./connection-secrets.ts";
import { loadConnection } from "./connections.ts";
import { loosened, requireDecider } from "./loosening.ts";

const ASKED = z.strictObject({
  mode: z.enum(["plan", "apply", "back"]),
  to: z.string().optional(),
  settings: z.record(z.string(), z.unknown()).optional(),
  secrets: SECRETS.optional(),
  run: z.string().optional().meta({ description: "The reviewed plan" }),
}).meta({ id: "UpgradeInput", examples: [{ mode: "plan", to: "2.0.0" }] });

const UPGRADE = z.strictObject({
  from: z.string(),
  to: z.string().meta({ examples: ["2.0.0"] }),
  settings: z.record(z.string(), z.unknown()).meta({ examples: [{}] }),
  secrets_renamed: z.record(z.string(), z.string()).meta({ examples: [{ token: "api_key" }] }),
  secrets_required: z.array(z.string()).meta({ examples: [[]] }),
  secrets_former: z.array(z.string()).meta({ examples: [[]] }),
  state: z.enum(["kept", "read_anew", "none"]),
  run: RUN.nullable().meta({ examples: [null] }),
  detail: z.string(),
}).meta({ id: "Upgrade" });

type Asked = z.infer<typeof ASKED>;
type Answer = z.infer<typeof UPGRADE>;

const upgrade = route(
  describe("upgradeConnection", "Upgrade the connector of a connection", {
    // The same, so that it is stored once: 202 while the plan is being made.
    200: json(UPGRADE, {}, "The upgrade"),
    202: json(UPGRADE, {}, "The upgrade"),
  }, {
    description:
      "`plan` shows whom the version changes in the last input, `apply` sets it, `back` restores what was. " +
      "Other hosts need `runs:approve`.",
    headers: [IF_MATCH, PREFER],
    faults: ["conflict", "plan_changed", "unprocessable", "queue_full"],
  }),
  requires("connections:write"),
  jsonBody(ASKED),
  async (c) => {
    const asked = c.req.valid("json");
    if (asked.mode === "plan") return await plan(c, asked);
    const change = asked.mode === "apply" ? apply : goBack;
    const { connection, answer } = await writeVersion(c, loadConnection, (_, current) => change(c, current, asked));
    return withVersion(c, connection, answer);
  },
);

export const upgradeRoutes: Hono<Env> = new Hono<Env>().post("/:id/upgrade", ...upgrade);

interface Prepared {
  readonly next: PinnedVersion;
  readonly settings: Record<string, unknown>;
  readonly answer: Omit<Answer, "run" | "detail">;
}

/** What the upgrade would make of the connection. Fails when the settings do not fit. */
async function prepare(c: Context<Env>, connection: Connection, asked: Asked): Promise<Prepared> {
  const hub = c.get("hub");
  pinOf(connection);
  const next = findNext(hub, connection, required(asked.to));
  const { installed } = next;
  const migrated = await migrate(hub, connection, next, asked.settings).catch((error) => {
    // Not an error of the hub: another version can be named, or the settings.
    throw error instanceof Fault ? new Fault("unprocessable", error.message, { cause: error }) : error;
  });
  checkSecrets(installed, asked.secrets);
  await prepareSettings(installed, migrated.settings);
  const settings = readSettings(installed, migrated.settings);
  const given = Object.entries(asked.secrets ?? {}).flatMap(([name, value]) => value === null ? [] : [name]);
  const { lacking, former } = secretsAfter(installed, parseSettings(installed, settings), migrated, given);
  return {
    next,
    settings,
    answer: {
      from: connection.connectorVersion!,
      to: installed.version,
      settings,
      secrets_renamed: { ...migrated.secrets },
      secrets_required: [...lacking],
      secrets_former: [...former],
      state: await stateAfter(hub, connection, installed),
    },
  };
}

function required(to: string | undefined): string {
  if (to !== undefined) return to;
  throw new Fault("invalid_request", "The version is missing", { errors: [{ pointer: "/to", detail: "is required" }] });
}

async function plan(c: Context<Env>, asked: Asked): Promise<Response> {
  const hub = c.get("hub");
  const connection = await loadConnection(c);
  requireMatch(c, connection);
  const { next, settings, answer } = await prepare(c, connection, asked);
  const last = connectorFor(hub.registry, connection) === undefined ? null : await findLastInput(hub.db, connection);
  if (last === null) {
    const detail =
      "There is no input to compare both versions with: none was applied, it is not retained any more, or " +
      "the present version is not installed. The settings are shown alone";
    return c.json({ ...answer, run: null, detail } satisfies Answer, 200);
  }
  const { id: connectionId, organizationId, version: connectionVersion } = connection;
  const upgrade: RunUpgrade = { version: answer.to, digest: next.digest, settings, connectionVersion };
  const requestId = c.get("requestId");
  const id = await queueUpgradePlan(hub.db, connection, last.run, upgrade, { requestId, now: hub.now(), by: byOf(c) });
  logRun(hub, { id, organizationId, connectionId, requestId }, "run.queued", { trigger: "upgrade", mode: "plan" });
  hub.wake();
  const { run, status } = await waitForNew(c, id);
  const detail = `The run lists what version ${answer.to} makes different in "${last.drop.name}"`;
  return c.json({ ...answer, run, detail } satisfies Answer, status);
}

interface Done {
  readonly connection: Connection;
  readonly answer: Answer;
}

async function apply(c: Context<Env>, current: Connection, asked: Asked): Promise<Done | null> {
  const { db, secrets, now } = c.get("hub");
  const prepared = await prepare(c, current, asked);
  const { next, settings, answer } = prepared;
  await requireIdle(c, current);
  if (asked.run !== undefined) await requireReviewed(c, current, asked.run, prepared);
  const lacking = answer.secrets_required.filter((name) => name !== "authorization");
  if (lacking.length > 0) {
    const names = lacking.map((name) => `"${name}"`).join(" and ");
    throw new Fault("unprocessable", `Version ${answer.to} needs ${names}; name it in "secrets" of this request`);
  }
  const { digest, installed } = next;
  if (Object.keys(asked.secrets ?? {}).length > 0) requireDecider(c, "setting secrets of a connection");
  await requireAllowed(c, current, {
    ...current,
    settings,
    connectorDigest: digest,
    connectorVersion: installed.version,
  });
  const renamed = renameSecrets(await loadSecrets(c.get("hub"), current), answer.secrets_renamed);
  const connection = await upgradeConnection(
    db,
    current,
    {
      version: installed.version,
      digest,
      settings,
      secrets: await sealSecrets(secrets, current.id, { ...renamed, ...asked.secrets }),
    },
    answer.secrets_renamed,
    now(),
    byOf(c),
  );
  const detail = "The connection has the version; its next run reads every row anew, under its guards";
  return connection === null ? null : { connection, answer: { ...answer, run: null, detail } };
}

async function goBack(c: Context<Env>, current: Connection): Promise<Done | null> {
  const hub = c.get("hub");
  const former = await findFormer(hub.db, current);
  pinOf(current);
  if (former === null) {
    throw new Fault("conflict", `"${current.slug}" was not upgraded, or has gone back already`);
  }
  const before: Connection = {
    ...current,
    settings: former.settings,
    connectorDigest: former.digest,
    connectorVersion: former.version,
  };
  const installed = connectorFor(hub.registry, before);
  if (installed === undefined) {
    throw new Fault(
      "unprocessable",
      `Version ${former.version} is not installed here any more; the operator can add it`,
    );
  }
  if (!sameStored(current.settings, former.settingsAfter)) {
    throw new Fault(
      "conflict",
      `The settings were changed since the upgrade, and version ${former.version} may not know them; restore them first`,
    );
  }
  await requireIdle(c, current);
  await requireAllowed(c, current, before);
  const inverse = Object.fromEntries(Object.entries(former.renamed).map(([old, name]) => [name, old]));
  const renamed = renameSecrets(await loadSecrets(hub, current), inverse);
  const sealed = await sealSecrets(hub.secrets, current.id, renamed);
  const connection = await undoUpgrade(hub.db, current, former, sealed, hub.now(), byOf(c));
  return connection === null ? null : { connection, answer: backAnswer(current, former, inverse) };
}

function backAnswer(current: Connection, former: Former, inverse: Record<string, string>): Answer {
  return {
    from: current.connectorVersion!,
    to: former.version,
    settings: former.settings,
    secrets_renamed: inverse,
    secrets_required: [],
    secrets_former: [],
    state: former.reads === null ? "none" : "kept",
    run: null,
    detail: "The connection is as it was before the upgrade; its next run reads every row anew",
  };
}

/** Fails with `conflict` while a run of the connection is carried, or its source is read. */
async function requireIdle(c: Context<Env>, current: Connection): Promise<void> {
  if (!await isBusy(c.get("hub").db, current)) return;
  throw new Fault("conflict", `A run of "${current.slug}" is at work; wait until it ends, or cancel it`);
}

/** Fails with `plan_changed` unless the run shows this very upgrade of the connection as it is now. */
async function requireReviewed(
  c: Context<Env>,
  current: Connection,
  name: string,
  { next, settings }: Prepared,
): Promise<void> {
  const id = decodeId("run", name);
  const run = id === null ? null : (await findRun(c.get("hub").db, current.organizationId, id))?.run ?? null;
  const upgrade = run?.connectionId === current.id && run.status === "planned" ? run.upgrade : null;
  const isSame = upgrade !== null && upgrade.digest === next.digest && sameStored(upgrade.settings, settings) &&
    upgrade.connectionVersion === current.version;
  if (isSame) return;
  throw new Fault("plan_changed", `"${name}" is no finished plan of this upgrade of the connection; plan it again`);
}

/** Fails with `forbidden` where secrets go to other hosts, or less protects people, and the token may not decide that. */
async function requireAllowed(c: Context<Env>, before: Connection, after: Connection): Promise<void> {
  const { registry } = c.get("hub");
  const [old, next] = [connectorFor(registry, before), connectorFor(registry, after)!];
  if (old !== undefined) await prepareSettings(old, before.settings);
  await prepareSettings(next, after.settings);
  if (old === undefined || destinationsOf(old, before.settings) !== destinationsOf(next, after.settings)) {
    requireDecider(c, "an upgrade that sends secrets to other hosts");
  }
  const coverage = [before, after].map((each) => usualCoverage(c.get("hub"), each)).join();
  const looser = coverage === "diff,full" ? "taking its input for everybody" : loosened(c, before, after);
  if (looser !== null) requireDecider(c, looser);
}
