/**
 * The bridge's core: it introduces itself to the hub, holds connections, and runs the hosted server and the poller.
 *
 * Every few seconds it asks the hub for its connections, and reports their health. The hosted server and the poller, which
 * speak SFTP, get these connections; files that they find whole are handed over to the hub. None of this is on disk: a
 * bridge that is restarted asks again.
 */
import { createAskHub, HubRefused } from "./ask-hub.ts";
import { createChecks } from "./core/checks.ts";
import { refreshConnections } from "./core/connections.ts";
import type { Core, Serving } from "./core/core.ts";
import { describe } from "./core/failures.ts";
import { sendHealth } from "./core/health.ts";
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
  /** The thumbprint of its key, which the operator compares before confirming it. */
  readonly thumbprint: string;
  /** Null: there is no hosted server. */
  readonly hosted: { readonly port: number; readonly fingerprint: string } | null;
  /** Takes no more files, and gives those that are being handed over a few seconds to finish. */
  close(): Promise<void>;
}

const RETRY_MS = 5_000;
/** How long files that are being handed over may take when the bridge closes. */
const GRACE_MS = 5_000;

/** Resolves once the hosted server listens. The hub need not be reachable yet. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const tasks = new Set<Promise<void>>();
  const { core, introduce } = await openCore(options);
  const serving = await startServing(core, tasks);
  // One at a time, so that a slow answer does not overwrite a later one.
  const inOrder = createSerial();
  core.refresh = () => inOrder(() => refreshConnections(serving));
  const running = run(serving, () => introduce(serving));
  const { server, poller, stop, key } = serving;
  return {
    thumbprint: key.thumbprint,
    hosted: server === null ? null : { port: server.port, fingerprint: server.fingerprint },
    async close() {
      // The server and the poller close first, so that they can finish what they are handing over.
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
        await sendHealth(core);
      }
      if (isUnreachable) log("bridge.hub_back");
      isUnreachable = false;
    } catch (error) {
      if (stop.signal.aborted) break;
      // The bridge was removed, or the hub was set up anew: the bridge introduces itself again.
      if (error instanceof HubRefused && error.status === 403) isConfirmed = false;
      if (!isUnreachable) log("bridge.hub_failed", describe(error));
      isUnreachable = true;
      pauseMs = retryMs;
    }
    await sleep(pauseMs, stop.signal).catch(() => {});
  }
}
