/** The runner's thread: carries runs of several organizations in turns, does what is due, and sleeps until it is woken. */
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { createFileCleaner } from "../../upkeep/clean-file.ts";
import type { Hub } from "../../hub.ts";
import { leaseRun } from "../../runs/next.ts";
import { carry } from "../../runs/run.ts";
import { createCarrier } from "../../runs/carrier.ts";
import { parseAllowHosts } from "../../security/outbound.ts";
import { fillSearchIndex } from "../../store/people/search-index.ts";
import { createIdle } from "../../std/idle.ts";
import { ladder } from "../../std/retry.ts";
import { tick } from "../../upkeep/tick.ts";
import { createRunnerGate } from "./gate.ts";
import { createDecrypt } from "./decrypting.ts";
import { installInflate } from "../inflate.ts";
import { openDatabase } from "../database.ts";
import { describeError } from "../log.ts";
import { openSecrets } from "../master-key.ts";
import { createSweep, sweepAll } from "./memory.ts";
import { createOutbound } from "../outbound.ts";
import { createOwner } from "../owner.ts";
import { packing } from "../packing.ts";
import { createWarmHost } from "../sandbox/warm.ts";
import { registryOf } from "../third-party.ts";
import type { RunnerSettings } from "./runner.ts";

/** How often to look for runs that another process queued. */
const LOOK_AGAIN_MS = 2_000;
const TICK_MS = 60_000;
/** A manual edit waits for one batch at most, so batches are short; a full page would take several times as long. */
const BATCH_MS = 50, PAGE_SHARE = 1 / 5;
/** How long the log grows between two checkpoints: a page that is written often is then moved once. */
const CHECKPOINT_EVERY_MS = 2_000;
/** How long filling the search index may delay the next run. */
const FILL_BETWEEN_RUNS_MS = 1_000, FILL_MS = 10_000;
/** How long a run may delay the search index of other organizations, and how often it then pauses for a step of it. */
const FILL_AFTER_MS = 15_000, FILL_EVERY_MS = 250;
/** Pauses after errors of the hub itself, not of a run: a database that is away is asked less and less often. */
const AFTER_FAILURES_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000];

installInflate();
const port = parentPort!;
const settings = workerData as RunnerSettings & { stopping: SharedArrayBuffer };
const stopping = new Int32Array(settings.stopping);
const stop = new AbortController();
let woken = false;
const idle = createIdle();

const { db, checkpoint } = await openDatabase({
  url: settings.databaseUrl,
  authToken: settings.databaseAuthToken,
  role: "runner",
  gate: settings.gate === null ? undefined : createRunnerGate(settings.gate),
});
const warm = createWarmHost();
const hub: Hub = {
  db,
  registry: await registryOf(settings.connectors, warm),
  secrets: await openSecrets(settings.keys),
  outbound: createOutbound(parseAllowHosts(settings.allowHosts).allow),
  now: Date.now,
  publicUrl: settings.publicUrl,
  packing,
  decrypt: createDecrypt(),
  retainDays: settings.retainDays,
  mailFrom: settings.mailFrom,
  wake,
  moved: (runId) => port.postMessage({ moved: runId }),
  log: (event, details) => port.postMessage({ event, details }),
};
const cleanFile = createFileCleaner(hub);
const owner = createOwner(settings.gate !== null);
/** Other threads need memory, too: a plan of many people should take hardly more than one of few. */
const sweep = createSweep({ grown: 16_000_000 });
const carrying = {
  batchMs: BATCH_MS,
  pageShare: PAGE_SHARE,
  signal: stop.signal,
  owner: owner.name,
  isGone: owner.isGone,
};
const carrier = createCarrier(hub, carrying, { take: leaseRun, carry });

port.on("message", (message: "wake" | "stop") => {
  if (message === "stop") stop.abort();
  wake();
});
// A message that came before the listener above may be lost.
lookWhetherToStop();
if (settings.connectors.length > 0) warm.open();

let lastTick = -Infinity, lastCheckpoint = 0;
/** Errors of the hub itself since something went well. */
let failures = 0;
/** When the index was last complete, and when it was last worked on. */
let lastComplete = performance.now(), lastFill = 0;
// When the thread has to stop, each run has one more turn, in which it releases its lease.
while (!stop.signal.aborted || carrier.size > 0) {
  woken = false;
  try {
    for (let last: Awaited<ReturnType<typeof carrier.turn>>; (last = await carrier.turn()) !== "idle";) {
      failures = 0;
      await pause();
      if (last === "ended" && carrier.size === 0) {
        await fill(FILL_BETWEEN_RUNS_MS);
        sweepAll();
      }
      if (isTickDue()) break;
    }
    if (stop.signal.aborted) continue;
    if (isTickDue()) {
      lastTick = performance.now();
      await tick(hub);
    }
    if (carrier.size > 0) continue;
    // The index is not complete: there is something else to do, or it takes long.
    if (!await fill(FILL_MS)) continue;
    if (!stop.signal.aborted) await cleanFile();
    await moveLog();
    failures = 0;
    await idle.wait(LOOK_AGAIN_MS);
  } catch (error) {
    if (stop.signal.aborted) continue;
    const pauseMs = ladder(AFTER_FAILURES_MS, ++failures);
    hub.log("runner.failed", { ...describeError(error), again_in_ms: pauseMs });
    await idle.wait(pauseMs);
  }
}
await warm.close();
db.close();
// This ends the thread, not the process.
process.exit(0);

/** Fills the search index for a time, and returns whether it is complete. A new run waits for one step at most. */
async function fill(forMs: number): Promise<boolean> {
  const isComplete = await fillSearchIndex(db, {
    forMs,
    pause: letOthersGoOn,
    isWanted: () => stop.signal.aborted || (forMs > FILL_BETWEEN_RUNS_MS && woken),
  });
  if (isComplete) lastComplete = performance.now();
  return isComplete;
}

/** A step of the search index during a run, so that other organizations need not wait for the run's end. */
async function fillDuringRun(): Promise<void> {
  const now = performance.now();
  if (now - lastComplete < FILL_AFTER_MS || now - lastFill < FILL_EVERY_MS) return;
  if (await fillSearchIndex(db, { forMs: 1, idleOnly: true })) lastComplete = performance.now();
  lastFill = performance.now();
}

function wake(): void {
  woken = true;
  carrier.look();
  idle.wake();
}

function isTickDue(): boolean {
  return performance.now() - lastTick >= TICK_MS;
}

async function pause(): Promise<void> {
  sweep();
  await fillDuringRun();
  await letOthersGoOn();
}

/** Makes a checkpoint if it is due, and receives messages. A run never waits for anything, so stopping is checked here. */
async function letOthersGoOn(): Promise<void> {
  if (performance.now() - lastCheckpoint >= CHECKPOINT_EVERY_MS) await moveLog();
  lookWhetherToStop();
  await new Promise((resolve) => setImmediate(resolve));
}

/** Blocks no writer: neither the gate nor the database's lock is held. */
async function moveLog(): Promise<void> {
  await checkpoint();
  lastCheckpoint = performance.now();
}

function lookWhetherToStop(): void {
  if (Atomics.load(stopping, 0) === 1) stop.abort();
}
