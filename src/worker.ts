/**
 * The entry point on Cloudflare Workers: the same application, on D1.
 *
 * There are no threads. A run is carried after the response of the request that queued it, for as long as the platform
 * allows, and goes on with the next request or cron trigger. Secrets and settings are bindings.
 */
import { parseConfig } from "./runtime/config.ts";
import { acceptKeys } from "./runtime/accept-keys.ts";
import { ensureDefaultOrganization, installAdminToken } from "./runtime/install.ts";
import { createLog, describeError } from "./runtime/log.ts";
import { createRegistry } from "./runtime/registry.ts";
import { createApp } from "./http/app.ts";
import type { Hub } from "./hub.ts";
import { createMetrics } from "./model/metrics.ts";
import { createRates, type Rates } from "./security/rates.ts";
import { createNoSecrets, createSecrets, type Secrets } from "./security/secrets.ts";
import { createOpenId, type OpenId } from "./security/openid.ts";
import { asFetch, parseAllowHosts } from "./security/outbound.ts";
import { createFetchOutbound } from "./security/outbound-fetch.ts";
import { followConnectors } from "./sources/follow.ts";
import { runFetcher } from "./sources/fetcher.ts";
import { runCourier } from "./notify/courier.ts";
import { runNext } from "./runs/next.ts";
import { createRunTurns } from "./runs/turns.ts";
import { createD1Database } from "./store/d1.ts";
import { resealAll } from "./store/connections/sealed.ts";
import { fillSearchIndex } from "./store/people/search-index.ts";
import { tick } from "./upkeep/tick.ts";

/** The database, and those variables of config.ts that have an effect here. */
interface Bindings {
  /** The files of the API viewer, as wrangler.toml names them. */
  readonly VIEWER?: { fetch(url: string): Promise<Response> };
  readonly DB: Parameters<typeof createD1Database>[0];
  readonly MUSTER_ADMIN_TOKEN?: string;
  /** Without it, everything that needs secrets is refused: there is no data directory in which to make a key. */
  readonly MUSTER_MASTER_KEY?: string;
  /** The previous key, while another one replaces it. */
  readonly MUSTER_MASTER_KEY_PREVIOUS?: string;
  readonly MUSTER_PUBLIC_URL?: string;
  readonly MUSTER_RETAIN_DAYS?: string;
  readonly MUSTER_ALLOW_HOSTS?: string;
  readonly OIDC_ISSUER?: string;
  readonly OIDC_AUDIENCE?: string;
  readonly OIDC_ORGANIZATION_CLAIM?: string;
  readonly OIDC_OPERATORS?: string;
  readonly MUSTER_RATE_LIMIT?: string;
  readonly MUSTER_LOGIN_LIMIT?: string;
  /** Without effect here, which is logged. */
  readonly SMTP_URL?: string;
  readonly MAIL_FROM?: string;
}

interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

/** An isolate has 128 MB of memory in all. */
const MAX_PACKED_BYTES = 4 * 1024 * 1024;
/** The platform allows 30 s of work after a response. */
const BEHIND_ANSWER_MS = 25_000;
const BEHIND_CRON_MS = 600_000;

const registry = createRegistry();
const log = createLog((line) => console.log(line.trimEnd()));
let installed = false;
/** Shared by all requests of this isolate; each of them makes its own hub. */
let rates: Rates | undefined;
/** As far as this isolate has carried runs. */
const turns = createRunTurns();
const metrics = createMetrics(Date.now());
let secrets: Secrets | null = null;
/** Shared because it caches the issuer's keys. */
let openid: OpenId | undefined;

export default {
  async fetch(request: Request, env: Bindings, context: Context): Promise<Response> {
    const hub = await createHub(env, new URL(request.url).origin, context);
    if (hub === null) return new Response("The hub's settings cannot be used; its log says why\n", { status: 503 });
    await install(hub, env);
    // The platform sets this header, whatever the client has sent.
    const address = request.headers.get("cf-connecting-ip");
    return await createApp(hub).fetch(request, { address }, context as never);
  },

  async scheduled(_event: unknown, env: Bindings, context: Context): Promise<void> {
    const hub = await createHub(env, "http://127.0.0.1", context);
    if (hub === null) return;
    await install(hub, env);
    await tick(hub);
    await fetchSources(hub, BEHIND_CRON_MS);
    await carry(hub, BEHIND_CRON_MS);
    await deliver(hub, BEHIND_CRON_MS);
  },
};

/** Null: the settings cannot be used, and all problems have been logged. */
async function createHub(env: Bindings, origin: string, context: Context): Promise<Hub | null> {
  // Settings of mail are not checked: no mail is sent from here, and install logs that.
  const { DB: _, VIEWER: viewer, SMTP_URL: _url, MAIL_FROM: _from, ...variables } = env;
  const { config, problems } = parseConfig(variables);
  for (const problem of problems) log("settings.refused", { problem });
  if (config === null) return null;
  secrets ??= config.masterKeys.length === 0 ? createNoSecrets() : await createSecrets(config.masterKeys);
  const { allow } = parseAllowHosts(config.allowHosts);
  const outbound = createFetchOutbound(allow, (url, init) => fetch(url, init));
  if (config.openid !== null) openid ??= createOpenId(config.openid, asFetch(outbound), () => performance.now());
  rates ??= createRates({ requests: config.rateLimit, logins: config.loginLimit }, () => performance.now());
  const hub: Hub = {
    db: createD1Database(env.DB),
    secrets,
    registry,
    outbound,
    maxPackedBytes: MAX_PACKED_BYTES,
    now: Date.now,
    publicUrl: config.publicUrl ?? origin,
    ...(viewer && {
      openViewer: async (file) => (await viewer.fetch(`https://viewer/${file}`)).body ?? "",
    }),
    openid,
    rates,
    metrics,
    retainDays: config.retainDays,
    wake: () =>
      context.waitUntil(
        fetchSources(hub, BEHIND_ANSWER_MS).then(() => carry(hub, BEHIND_ANSWER_MS)).then(() =>
          deliver(hub, BEHIND_ANSWER_MS)
        ),
      ),
    log,
  };
  return hub;
}

/** Once for each isolate. No promise is shared for this, because promises belong to the request that made them. */
async function install(hub: Hub, env: Bindings): Promise<void> {
  if (installed) return;
  const keys = [env.MUSTER_MASTER_KEY ?? "", env.MUSTER_MASTER_KEY_PREVIOUS ?? ""].filter((key) => key !== "");
  if (keys.length > 0) {
    await acceptKeys(hub.db, keys, "MUSTER_MASTER_KEY", hub.now());
    if (keys.length > 1) await resealAll(hub.db, hub.secrets);
  }
  await followConnectors(hub);
  const organization = await ensureDefaultOrganization(hub.db, hub.now());
  const text = env.MUSTER_ADMIN_TOKEN ?? "";
  if (text !== "") await installAdminToken(hub.db, organization.id, text, hub.now());
  // Mail needs sockets that Workers do not have.
  if ((env.SMTP_URL ?? "") !== "") {
    log("mail.unavailable", { reason: "Workers send no mail: SMTP_URL has no meaning here" });
  }
  installed = true;
}

async function carry(hub: Hub, ms: number): Promise<void> {
  const signal = AbortSignal.timeout(ms);
  const owner = crypto.randomUUID();
  try {
    while (!signal.aborted && await runNext(hub, { signal, owner }, turns) !== null);
    await fillSearchIndex(hub.db, { forMs: ms, isWanted: () => signal.aborted });
  } catch (error) {
    log("runner.failed", describeError(error));
  }
}

/** Reads the sources of queued runs; a read that does not end in time goes on from its last checkpoint. */
async function fetchSources(hub: Hub, ms: number): Promise<void> {
  const signal = AbortSignal.timeout(ms);
  try {
    // Runs are carried after the fetches anyway.
    const quiet = { ...hub, wake: () => {} };
    await runFetcher(quiet, { owner: crypto.randomUUID(), lookEveryMs: 250, untilIdle: true, signal });
  } catch (error) {
    log("fetcher.failed", describeError(error));
  }
}

/** Sends due webhooks; an error is logged, and the next call tries again. */
async function deliver(hub: Hub, ms: number): Promise<void> {
  const signal = AbortSignal.timeout(ms);
  try {
    await runCourier(hub, { sender: { name: crypto.randomUUID() }, lookEveryMs: 250, untilIdle: true, signal });
  } catch (error) {
    log("courier.failed", describeError(error));
  }
}
