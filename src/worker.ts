/**
 * The door for Cloudflare Workers: the same application on D1.
 *
 * There are no threads: a run is carried behind the answer that woke it for as long as the platform allows, and goes on
 * with the next request or at the next tick of the cron trigger. Secrets and settings are bindings.
 */
import { parseConfig } from "./config.ts";
import { ensureDefaultOrganization, installAdminToken } from "./door/install.ts";
import { createLog, describeError } from "./door/log.ts";
import { createRegistry } from "./door/registry.ts";
import { Fault } from "./errors.ts";
import { createApp } from "./http/app.ts";
import type { Hub } from "./hub.ts";
import { createOpenId, type OpenId } from "./openid.ts";
import { runNext } from "./run.ts";
import { createD1Database } from "./store/d1.ts";
import { tick } from "./tick.ts";

/** Beside the database there may be the variables of config.ts that have a meaning here. */
interface Bindings {
  /** The files of the viewer, as wrangler.toml names them. */
  readonly VIEWER?: { fetch(url: string): Promise<Response> };
  readonly DB: Parameters<typeof createD1Database>[0];
  readonly MUSTER_ADMIN_TOKEN?: string;
  readonly MUSTER_PUBLIC_URL?: string;
  readonly MUSTER_RETAIN_DAYS?: string;
  readonly OIDC_ISSUER?: string;
  readonly OIDC_AUDIENCE?: string;
  readonly OIDC_ORGANIZATION_CLAIM?: string;
  readonly OIDC_OPERATORS?: string;
}

interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

/** What is left of a request when its answer is out is 30 s. */
const BEHIND_ANSWER_MS = 25_000;
const BEHIND_CRON_MS = 600_000;

const registry = createRegistry();
const log = createLog((line) => console.log(line.trimEnd()));
let installed = false;
/** Kept for its keys: each request has a hub of its own. */
let openid: OpenId | undefined;

export default {
  async fetch(request: Request, env: Bindings, context: Context): Promise<Response> {
    const hub = createHub(env, new URL(request.url).origin, context);
    await install(hub, env);
    // Set by the platform, whatever the request says.
    const address = request.headers.get("cf-connecting-ip");
    return await createApp(hub).fetch(request, { address }, context as never);
  },

  async scheduled(_event: unknown, env: Bindings, context: Context): Promise<void> {
    const hub = createHub(env, "http://127.0.0.1", context);
    await install(hub, env);
    await tick(hub);
    await carry(hub, BEHIND_CRON_MS);
  },
};

function createHub(env: Bindings, origin: string, context: Context): Hub {
  const { DB: _, VIEWER: viewer, ...variables } = env;
  const { config, problems } = parseConfig(variables);
  if (config === null) throw new Fault("unprocessable", problems.join("\n"));
  if (config.openid !== null) openid ??= createOpenId(config.openid, (url, init) => fetch(url, init));
  const hub: Hub = {
    db: createD1Database(env.DB),
    registry,
    now: Date.now,
    publicUrl: config.publicUrl ?? origin,
    ...(viewer && {
      openViewer: async (file) => (await viewer.fetch(`https://viewer/${file}`)).body ?? "",
    }),
    openid,
    retainDays: config.retainDays,
    wake: () => context.waitUntil(carry(hub, BEHIND_ANSWER_MS)),
    log,
  };
  return hub;
}

/** Once for each instance of this worker. Nothing but the fact is kept: promises belong to the request that made them. */
async function install(hub: Hub, env: Bindings): Promise<void> {
  if (installed) return;
  const organization = await ensureDefaultOrganization(hub.db, hub.now());
  const text = env.MUSTER_ADMIN_TOKEN ?? "";
  if (text !== "") await installAdminToken(hub.db, organization.id, text, hub.now());
  installed = true;
}

async function carry(hub: Hub, ms: number): Promise<void> {
  const signal = AbortSignal.timeout(ms);
  const owner = crypto.randomUUID();
  try {
    while (!signal.aborted && await runNext(hub, { signal, owner }) !== null);
  } catch (error) {
    log("runner.failed", describeError(error));
  }
}
