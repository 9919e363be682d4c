import assert from "node:assert/strict";
import test from "node:test";
import type { Worker } from "node:worker_threads";
import { createGateMemory, createMainGate } from "../../../src/runtime/threads/gate.ts";
import { startThread } from "../../../src/runtime/threads/thread.ts";

/** Words of the shared memory: who is inside, how often two were, turns of the runner. */
const INSIDE = 0, CLASHES = 1, RUNNER_TURNS = 2;

function startRunner(options: { turns: number; holdMs: number; die?: boolean }) {
  const memory = createGateMemory();
  const shared = new SharedArrayBuffer(12);
  const thread = startThread(new URL("./gate-thread.ts", import.meta.url), { memory, shared, die: false, ...options });
  return { gate: createMainGate(memory), words: new Int32Array(shared), thread };
}

/** Takes a turn of the main thread; gives the runner's turns so far. */
async function mainTurn(gate: { enter(): Promise<() => void> }, words: Int32Array): Promise<number> {
  const leave = await gate.enter();
  const runnerTurns = words[RUNNER_TURNS]!;
  if (Atomics.add(words, INSIDE, 1) !== 0) Atomics.add(words, CLASHES, 1);
  await new Promise((resolve) => setTimeout(resolve, 1));
  Atomics.sub(words, INSIDE, 1);
  leave();
  return runnerTurns;
}

const ended = (thread: Worker) => new Promise<void>((resolve) => thread.on("exit", () => resolve()));

test("one writer at a time, whichever thread it is in", async () => {
  const { gate, words, thread } = startRunner({ turns: 40, holdMs: 1 });
  const end = ended(thread);
  let over = false;
  end.then(() => over = true);
  let turns = 0;
  while (!over) {
    await Promise.all([1, 2, 3].map(() => mainTurn(gate, words)));
    turns += 3;
  }
  assert.equal(words[CLASHES], 0);
  assert.equal(words[RUNNER_TURNS], 40, "the runner had all its turns although the main thread always wanted more");
  assert.ok(turns >= 3);
});

test("the main thread waits without blocking, and goes before the runner's next turn", async () => {
  const { gate, words, thread } = startRunner({ turns: 40, holdMs: 20 });
  const end = ended(thread);
  while (words[RUNNER_TURNS] === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  let ticks = 0;
  const ticker = setInterval(() => ticks++, 1);
  let most = 0;
  for (let turn = 0; turn < 10; turn++) {
    const before = words[RUNNER_TURNS]!;
    most = Math.max(most, await mainTurn(gate, words) - before);
  }
  clearInterval(ticker);
  assert.ok(most <= 1, `the runner had ${most} turns while the main thread waited for one`);
  assert.ok(ticks > 10, "timers ran while the main thread waited");
  await end;
});

test("what a request writes next does not wait for the runner again", async () => {
  const { gate, words, thread } = startRunner({ turns: 40, holdMs: 20 });
  const end = ended(thread);
  while (words[RUNNER_TURNS] === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const turnsSeen: number[] = [];
  for (let write = 0; write < 3; write++) {
    const leave = await gate.enter();
    turnsSeen.push(words[RUNNER_TURNS]!);
    leave();
    await Promise.resolve();
  }
  assert.equal(new Set(turnsSeen).size, 1, `the runner's turns were ${turnsSeen}`);
  await end;
});

test("a runner that dies with the gate in its hand does not keep the main thread out", async () => {
  const { gate, words, thread } = startRunner({ turns: 1, holdMs: 1, die: true });
  thread.on("error", () => {});
  const end = ended(thread);
  while (words[RUNNER_TURNS] === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const turn = mainTurn(gate, words);
  await end;
  gate.runnerEnded();
  await turn;
  assert.equal(words[CLASHES], 0);
});

test("writers of the main thread take turns in the order they came", async () => {
  const gate = createMainGate(createGateMemory());
  const order: number[] = [];
  await Promise.all([1, 2, 3].map(async (n) => {
    const leave = await gate.enter();
    await Promise.resolve();
    order.push(n);
    leave();
  }));
  assert.deepEqual(order, [1, 2, 3]);
});
