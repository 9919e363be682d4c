/**
 * The bridge's core: it introduces itself to the hub, holds connections, and keeps both sides going.
 *
 * Every few seconds it asks the hub for its connections, and reports how they do. It passes what it learns to the hosted
 * server and to the poller, which speak SFTP; files that they find whole it hands over to the hub. Nothing of this is on
 * disk: started again, it asks again.
 */
import { createAskHub, HubRefused } from "./ask-hub.ts";
import { createChecks } from "./core/checks.ts";
import { refreshConnections } from "./core/connections.ts";
import type { Core, Serving } from "./core/core.ts";
import { describe } from "./core/failures.ts";
import { reportHealth } from "./core/health.ts";
import { createBridgeHub, createLogIn } from "./core/hub-side.ts";
import type { BridgeOptions } from "./core/options.ts";
import { createErasures, tendTrees } from "./core/trees.ts";
import { createVisits } from "./core/visits.ts";
import type { Greeting } from "../model/bridge-wire.ts";
import type { OpenTransport } from "./contract.ts";
import { openBridgeKey } from "./key.ts";
import { createSerial } from "../std/serial.ts";
import { sleep } from "../std/sleep.ts";

export interface Bridge {
  /** Of its key; what the operator compares before confirming. */
  readonly thumbprint: string;
  /** The hosted server's, null where there is none. */
  readonly hosted: { readonly port: number; readonly fingerprint: string } | null;
  /** Takes no more files, and lets those at hand come to an end for a little while. */
  close(): Promise<void>;
}

const RETRY_MS = 5_000;
/** What is at hand when the bridge closes may take as long to come to its end. */
const GRACE_MS = 5_000;

/** Resolves once the hosted server listens; the hub may not be there yet. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const tasks = new Set<Promise<void>>();
  const { core, introduce } = await openCore(options);
  const serving = await startServing(core, tasks);
  // One at a time: an answer that was on its way for long does not come after a later one.
  const inOrder = createSerial();
  core.refresh = () => inOrder(() => refreshConnections(serving));
  const running = run(serving, () => introduce(serving));
  const { server, poller, stop, key } = serving;
  return {
    thumbprint: key.thumbprint,
    hosted: server === null ? null : { port: server.port, fingerprint: server.fingerprint },
    async close() {
      // Those that speak SFTP first: what they have begun to hand over may come to its end.
      const closing = Promise.all([server?.close(), poller.close()]);
      const timer = setTimeout(() => stop.abort(new Error("The bridge is closing")), GRACE_MS);
      await closing.catch(() => {});
      clearTimeout(timer);
      stop.abort(new Error("The bridge is closing"));
      await Promise.allSettled([closing, running, ...tasks]);
    },
  };
}

async function openCore(options: BridgeOptions) {
  const key = await openBridgeKey(options.dir);
  let id: string | null = null, hasLoggedWaiting = false;
  const ask = createAskHub({
    url: options.url,
    token: options.token,
    bridge: () => id,
    fetch: options.fetch,
    firstPauseMs: options.retryMs,
  });
  const core: Core = {
    options,
    ask,
    key,
    entries: new Map(),
    stop: new AbortController(),
    refresh: () => Promise.reject(new Error("The bridge has not started")),
  };

  /** Whether the operator has confirmed the key. */
  async function introduce({ server, stop }: Serving): Promise<boolean> {
    const { name, version, hosted, log } = options;
    const answer = await ask("/hello", {
      method: "POST",
      attempts: 1,
      signal: stop.signal,
      json: {
        name,
        version,
        public_key: key.publicKey,
        hosted: server === null ? null : {
          host: hosted!.address.host,
          port: hosted!.address.port ?? server.port,
          host_key: server.fingerprint,
        },
      },
    });
    const { bridge } = await answer.json() as Greeting;
    if (id !== bridge.id) log("bridge.introduced", { bridge: bridge.id, thumbprint: key.thumbprint });
    id = bridge.id;
    if (!bridge.confirmed && !hasLoggedWaiting) {
      hasLoggedWaiting = true;
      log("bridge.waits_for_operator", { bridge: id, thumbprint: key.thumbprint });
    }
    return bridge.confirmed;
  }

  return { core, introduce };
}

/** Starts the hosted server and the poller. */
async function startServing(core: Core, tasks: Set<Promise<void>>): Promise<Serving> {
  const { options, stop } = core;
  const { log, now, passed = () => {} } = options;
  const openTransport: OpenTransport = (connection, signal) => {
    if (connection.mode === "remote") return serving.poller.openTransport(connection, signal);
    if (serving.server === null) throw new Error("This bridge has no hosted server");
    return serving.server.openTransport(connection, signal);
  };
  const shared = { hub: createBridgeHub(core, openTransport), log, now, passed };
  const server = options.hosted === null ? null : await options.createHostedServer({
    ...shared,
    logIn: createLogIn(core),
    dir: options.dir,
    host: options.hosted.host,
    port: options.hosted.port,
  });
  const serving: Serving = {
    ...core,
    server,
    poller: options.createPoller({ ...shared, dial: options.dial }),
    openTransport,
    toErase: [],
    tendAt: 0,
    refresh: () => core.refresh(),
    inBackground(work) {
      const task = work.catch((error) => {
        if (!stop.signal.aborted) log("bridge.failed", describe(error));
      }).finally(() => tasks.delete(task));
      tasks.add(task);
    },
  };
  return serving;
}

async function run(core: Serving, introduce: () => Promise<boolean>): Promise<void> {
  const { options, stop } = core;
  const { log, retryMs = RETRY_MS } = options;
  const errands = [createErasures(core), createChecks(core), createVisits(core)];
  let isConfirmed = false, isUnreachable = false;
  while (!stop.signal.aborted) {
    let pauseMs = retryMs;
    try {
      isConfirmed ||= await introduce();
      if (isConfirmed) {
        const askAgainMs = await core.refresh();
        pauseMs = options.askEveryMs ?? askAgainMs;
        for (const begin of errands) begin();
        core.inBackground(tendTrees(core));
        await reportHealth(core);
      }
      if (isUnreachable) log("bridge.hub_back");
      isUnreachable = false;
    } catch (error) {
      if (stop.signal.aborted) break;
      // Removed, or unknown to a hub that was set up anew: it introduces itself again.
      if (error instanceof HubRefused && error.status === 403) isConfirmed = false;
      if (!isUnreachable) log("bridge.hub_failed", describe(error));
      isUnreachable = true;
      pauseMs = retryMs;
    }
    await sleep(pauseMs, stop.signal).catch(() => {});
  }
}
