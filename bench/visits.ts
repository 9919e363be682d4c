/**
 * Visits to many remote servers by one bridge: how late they are. OpenSSH's sshd stands for all of them; every tenth is
 * reached by a line on which nothing ever comes. Run by itself: `deno run -A bench/visits.ts [connections] [minutes]`.
 */
import process from "node:process";
import type { TestContext } from "node:test";
import { nextRegular } from "../src/bridge/remote/due.ts";
import { createPoller } from "../src/bridge/remote/poller.ts";
import { openSession } from "../src/bridge/remote/session.ts";
import { layLine } from "../test/support/faulty-line.ts";
import { createRecordingHub } from "../test/support/hand-over.ts";
import { connectionTo, dialLoopback, put } from "../test/support/remote.ts";
import { startSshServer } from "../test/support/sshd.ts";

const count = Number(process.argv[2] ?? 200), minutes = Number(process.argv[3] ?? 11);
const ends: (() => unknown)[] = [];
const t = { after: (end: () => unknown) => void ends.push(end) } as unknown as TestContext;

const server = await startSshServer(t);
put(server, "notes.txt", "nothing to take");
const dead = await layLine(t, server.port);
dead.fault = { afterBytes: 100, kind: "stall" };
const when = { kind: "every", minutes: 5 } as const;
const connections = Array.from(
  { length: count },
  (_, i) => connectionTo(server, { id: `con_${i}`, when, ...(i % 10 === 9 ? { port: dead.port } : {}) }),
);
const hub = createRecordingHub(connections);

const lateMs: number[] = [];
const visited = new Map<string, number>();
let most = 0;
const watch = setInterval(() => most = Math.max(most, process.memoryUsage().rss), 200);
const began = performance.now(), cpu = process.cpuUsage();
const poller = createPoller({ hub, dial: dialLoopback, log: () => {}, now: Date.now }, {
  async open(target) {
    const { connection } = target;
    const session = await openSession(target);
    // Late is when the session stands, not when it was asked for. The one at the start is where the cadence begins.
    const now = Date.now(), before = visited.get(connection.id);
    if (before !== undefined) lateMs.push(now - nextRegular(when, connection.id, before + 1000));
    visited.set(connection.id, now);
    return session;
  },
});
await new Promise((done) => setTimeout(done, minutes * 60_000));
await poller.close();
clearInterval(watch);
const used = process.cpuUsage(cpu);
lateMs.sort((a, b) => a - b);
const at = (share: number) => `${lateMs[Math.floor((lateMs.length - 1) * share)]} ms`;
const busy = (used.user + used.system) / 1000 / (performance.now() - began);
console.log(`${lateMs.length} visits of ${count} servers every 5 minutes, every tenth of them dead`);
console.log(`late: ${at(0.5)} at the median, ${at(0.99)} at the 99th percentile, ${at(1)} at most`);
console.log(`memory: ${Math.round(most / 1e6)} MB at most; one core busy for ${(busy * 100).toFixed(1)} %`);
for (const end of ends) await end();
