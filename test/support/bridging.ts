/** A hub with a bridge beside it: the bridge's core as it is, servers in memory, and HTTP without a network. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bridge, startBridge } from "../../src/bridge/bridge.ts";
import type { BridgeOptions } from "../../src/bridge/core/options.ts";
import type { CheckResult, HostedServer } from "../../src/bridge/contract.ts";
import { createApp } from "../../src/http/app.ts";
import { checked } from "./checked.ts";
import { type Ask, createAsk, createTestToken, type TestHub } from "./hub.ts";
import { createFakePoller, createFakeServer, type FakePoller, type FakeServer } from "./sftp-fake.ts";

export interface Bridging {
  readonly poller: FakePoller;
  readonly bridge: Bridge;
  readonly operator: Ask;
  /** Lines that the bridge logged. */
  readonly lines: { event: string; details: Record<string, unknown> }[];
  server(connection: string): FakeServer;
  /** Ends it as a kill does: nothing is said any more. */
  kill(): Promise<void>;
  /** Another bridge process with the same folder and token. */
  again(options?: Partial<BridgingOptions>): Promise<Bridging>;
}

export interface BridgingOptions {
  readonly token?: string;
  readonly dir?: string;
  readonly isConfirmed?: boolean;
  readonly servers?: Map<string, FakeServer>;
  readonly checked?: CheckResult;
  readonly now?: () => number;
  readonly hosted?: boolean;
  /** The real one, instead of folders in memory. */
  readonly createHostedServer?: BridgeOptions["createHostedServer"];
  /** The real ones, instead of one that visits when it is told to. */
  readonly createPoller?: BridgeOptions["createPoller"];
  readonly dial?: BridgeOptions["dial"];
  readonly askEveryMs?: number;
  /** Stands between the bridge and the hub; what it throws, the bridge sees as a hub that is not there. */
  readonly line?: (request: { method: string; path: string }, send: () => Promise<Response>) => Promise<Response>;
}

/** Looks again and again, ever less often: what is looked for needs the processor, too. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  isThere: (value: T) => boolean = Boolean,
  ms = 30_000,
): Promise<T> {
  for (let end = Date.now() + ms, pauseMs = 5;; pauseMs = Math.min(pauseMs * 1.2, 100)) {
    const value = await look();
    if (isThere(value)) return value;
    assert.ok(Date.now() < end, `It took too long until ${what}: ${String(JSON.stringify(value)).slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

export async function bridging(hub: TestHub, options: BridgingOptions = {}): Promise<Bridging> {
  const servers = options.servers ?? new Map<string, FakeServer>();
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "muster-bridge-"));
  const token = options.token ?? await createTestToken(hub, { scopes: ["bridge"] });
  const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  const app = createApp(hub);
  const lines: Bridging["lines"] = [];
  let dead = false;
  let poller: FakePoller;
  const server = (connection: string) => {
    let found = servers.get(connection);
    if (found === undefined) servers.set(connection, found = createFakeServer());
    return found;
  };
  const bridgeOptions: BridgeOptions = {
    url: hub.publicUrl,
    token,
    name: "test bridge",
    version: "0.0.0",
    dir,
    hosted: options.hosted === false
      ? null
      : { host: "127.0.0.1", port: 0, address: { host: "sftp.example.com", port: 22 } },
    fetch: async (url, init) => {
      if (dead) throw new TypeError("killed");
      const method = init?.method ?? "GET";
      const send = async () => await checked(method, String(url), await app.request(String(url), init as RequestInit));
      return await (options.line?.({ method, path: new URL(String(url)).pathname }, send) ?? send());
    },
    createHostedServer: options.createHostedServer ?? (() =>
      Promise.resolve<HostedServer>({
        port: 2222,
        fingerprint: `SHA256:${"a".repeat(43)}`,
        openTransport: (connection) => Promise.resolve(server(connection.id).transport()),
        changed() {},
        tend: () => Promise.resolve([]),
        erase(id) {
          const files = servers.get(id)?.files ?? new Map();
          for (const path of [...files.keys()]) if (/^\/(\.bak|reports|failed)\//.test(path)) files.delete(path);
          return Promise.resolve({ isDone: true, waiting: files.size });
        },
        close: () => Promise.resolve(),
      })),
    createPoller: options.createPoller ??
      ((given) => poller = createFakePoller(given, { get: server } as never, options.checked)),
    dial: options.dial ?? (() => Promise.reject(new Error("Nobody dials here"))),
    log: (event, details = {}) => void lines.push({ event, details }),
    now: options.now ?? hub.now,
    askEveryMs: options.askEveryMs ?? 50,
    retryMs: 10,
  };
  const bridge = await startBridge(bridgeOptions);
  if (options.isConfirmed ?? true) {
    const { bridge: id } = (await until("it is introduced", () =>
      lines.find(({ event }) => event === "bridge.introduced")))!.details;
    assert.equal((await operator(`/v1/bridges/${id}/confirm`, { method: "POST" })).status, 200);
  }
  return {
    get poller() {
      return poller;
    },
    bridge,
    operator,
    lines,
    server,
    async kill() {
      dead = true;
      await bridge.close();
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    },
    async again(others = {}) {
      dead = true;
      await bridge.close();
      return await bridging(hub, { ...options, ...others, dir, token, servers });
    },
  };
}

/** Waits until the bridge holds the connection. */
export async function isHeld({ poller }: Bridging, connection: string): Promise<void> {
  await until("the bridge holds it", () => poller.hub.connections().some(({ id }) => id === connection));
}
