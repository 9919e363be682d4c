/** A child's process that waits: it saves the next call the start, has run nobody's code, and ends with its hub. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Child, Host, HostOptions } from "../../../src/runtime/sandbox/child.ts";
import { startHost } from "../../../src/runtime/sandbox/child.ts";
import { findDeno } from "../../../src/runtime/sandbox/deno-program.ts";
import { ConnectorFault } from "../../../src/runtime/sandbox/faults.ts";
import { createWarmHost, type WarmHost } from "../../../src/runtime/sandbox/warm.ts";
import { onlyInCheck } from "../../support/rounds.ts";
import { type Served, startServing } from "../../support/serve.ts";
import { connectorCode } from "../../support/stranger.ts";

const deno = findDeno()!;
const CODE = connectorCode("async *fetch() {},");
/** Shows what it found of others in its process. */
const MARKED = connectorCode(
  `async *fetch() {}, notes: [{ text: found }],`,
  "const found = String(globalThis.mark); globalThis.mark = 'here';",
);

/** A warm host, and all processes that it has started, in their order. */
async function withWarm(work: (warm: WarmHost, started: Promise<Host>[]) => Promise<void>): Promise<void> {
  const started: Promise<Host>[] = [];
  const warm = createWarmHost({
    startOne(options) {
      started.push(startHost(options));
      return started.at(-1)!;
    },
  });
  try {
    await work(warm, started);
  } finally {
    await warm.close();
    for (const host of started) await (await host.catch(() => null))?.end();
  }
}

test("each child is a process that was there before, which no other connector gets", () =>
  withWarm(async (warm, started) => {
    warm.open();
    for (const n of [0, 1, 2]) {
      const waiting = await started[n]!;
      assert.equal(started.length, n + 1);
      const child = await warm.start({ deno, code: MARKED });
      assert.equal(child.pid, waiting.pid);
      assert.equal(started.length, n + 2, "another one takes its place");
      const { data } = await child.call<{ data: { notes: { text: string }[] } }>("describe", null);
      assert.equal(data.notes[0]!.text, "undefined");
      if (n === 1) await child.end();
    }
    assert.equal(new Set(await Promise.all(started.map(async (host) => (await host).pid))).size, started.length);
  }));

test("of calls that come together one gets the process that waits, and one process waits afterwards", () =>
  withWarm(async (warm, started) => {
    warm.open();
    const children = await Promise.all([1, 2, 3].map(() => warm.start({ deno, code: CODE })));
    assert.equal(new Set(children.map(({ pid }) => pid)).size, 3);
    const used = new Set(children.map(({ pid }) => pid));
    const all = await Promise.all(started.map(async (host) => (await host).pid));
    assert.equal(all.filter((pid) => !used.has(pid)).length, 1);
  }));

test("one that was killed while it waited is replaced, and costs the next call nothing", () =>
  withWarm(async (warm, started) => {
    warm.open();
    const first = await started[0]!;
    process.kill(first.pid, "SIGKILL");
    assert.equal(await first.ended, true);
    await until(() => Promise.resolve(started.length === 2), "none is started in its place");
    const second = await started[1]!;
    const child = await warm.start({ deno, code: CODE });
    assert.equal(child.pid, second.pid);
    await child.call("describe", null);
  }));

/** A process as the hub sees it, which does what `load` does. */
const fake = (load: Host["load"], ended: Promise<boolean>): Host => ({ pid: 1, load, ended, end: async () => {} });
const never = new Promise<never>(() => {});
const childOf = (pid: number): Child => ({ pid }) as Child;

test("one whose death is noticed only when it gets the code costs the call nothing either", async () => {
  const died = new ConnectorFault("ended by itself (SIGKILL)");
  const hosts = [
    fake(() => Promise.reject(died), Promise.resolve(true)),
    fake(() => Promise.resolve(childOf(2)), never),
  ];
  let n = 0;
  const warm = createWarmHost({ startOne: () => Promise.resolve(hosts[n++]!) });
  // Dead already, but nobody has looked: the call comes before.
  warm.open();
  assert.equal((await warm.start({ deno, code: CODE })).pid, 2);
});

test("what the connector did wrong while it was loaded is reported, and not tried again", () =>
  withWarm(async (warm, started) => {
    warm.open();
    const { ended } = await started[0]!;
    await assert.rejects(
      warm.start({ deno, code: "throw new RangeError();" }),
      /did not catch RangeError|threw RangeError/,
    );
    assert.equal(await ended, false);
    assert.equal(started.length, 2, "only that which waits now");
  }));

test("where processes die as they wait, three are tried, and then none until a child is needed", async () => {
  let n = 0;
  const dying = () => {
    n++;
    return Promise.resolve(fake(() => Promise.reject(new ConnectorFault("gone")), Promise.resolve(true)));
  };
  const turns = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
  };
  const warm = createWarmHost({ startOne: dying });
  warm.open();
  await turns();
  assert.equal(n, 3);
  await assert.rejects(warm.start({ deno, code: CODE }), /gone/);
  await turns();
  assert.ok(n > 4);
});

test("a child with limits of its own is started with them", async () => {
  const asked: (HostOptions["limits"] | null)[] = [];
  const startOne = ({ limits = null }: { limits?: HostOptions["limits"] | null }) => {
    asked.push(limits);
    return Promise.resolve(fake(() => Promise.resolve(childOf(asked.length)), never));
  };
  const warm = createWarmHost({ startOne });
  warm.open();
  assert.equal((await warm.start({ deno, code: CODE, limits: { heapMiB: 64 } })).pid, 2);
  assert.deepEqual(asked, [null, { heapMiB: 64 }]);
  assert.equal((await warm.start({ deno, code: CODE, limits: { heapMiB: 192 } })).pid, 2, "the usual ones");
});

test("none waits before the warm host is opened, nor after it is closed", () =>
  withWarm(async (warm, started) => {
    await (await warm.start({ deno, code: CODE })).end();
    assert.equal(started.length, 1);
    warm.open();
    const waiting = await started[1]!;
    await warm.close();
    assert.equal(await waiting.ended, false);
    await (await warm.start({ deno, code: CODE })).end();
    assert.equal(started.length, 3);
  }));

/** Runs a hub that has connectors of others, or none; `children`: the folders of its children. */
async function withServed(
  connectors: string,
  work: (hub: Served, children: () => Promise<string[]>) => Promise<void>,
): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-warm-"));
  const env = { TMPDIR: dir, MUSTER_DATA_DIR: join(dir, "data"), MUSTER_CONNECTORS: connectors };
  const hub = await startServing(env);
  try {
    await work(hub, async () => {
      const names = await readdir(dir);
      return names.filter((name) => name.startsWith("muster-connector-")).map((name) => join(dir, name));
    });
  } finally {
    await hub.stop("SIGKILL");
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The processes that work in one of the folders. */
async function processesIn(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (folders.includes(cwd)) found.push(pid);
  }
  return found;
}

async function until(is: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = Date.now() + 30_000; !await is();) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const OF_OTHERS = fileURLToPath(new URL("../../support/abuses/hangs.ts", import.meta.url));
const skip = onlyInCheck || (process.platform === "linux" ? false : "looks at /proc");

test(
  "a hub with a connector of others has one that waits in each of its two threads; none outlives it",
  { skip },
  async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await withServed(OF_OTHERS, async (hub, children) => {
        await until(async () => (await processesIn(await children())).length === 2, "two do not wait");
        const folders = await children();
        await hub.stop(signal);
        await until(async () => (await processesIn(folders)).length === 0, `a process is left after ${signal}`);
        // Those of a hub that was killed are removed by the next one.
        if (signal === "SIGTERM") assert.deepEqual(await children(), []);
      });
    }
  },
);

test(
  "a hub without connectors of others has none that waits",
  { skip },
  () =>
    withServed("", async (hub, children) => {
      assert.equal((await fetch(`${hub.url}/readyz`)).status, 200);
      assert.deepEqual(await children(), []);
      await hub.stop();
      assert.deepEqual(await children(), []);
    }),
);
