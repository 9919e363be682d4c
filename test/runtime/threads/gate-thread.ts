/** The runner's side of test/runtime/threads/gate.test.ts: takes turns and writes down what it saw. */
import { workerData } from "node:worker_threads";
import { createRunnerGate } from "../../../src/runtime/threads/gate.ts";

const { memory, shared, turns, holdMs, die } = workerData as {
  memory: SharedArrayBuffer;
  shared: SharedArrayBuffer;
  turns: number;
  holdMs: number;
  die: boolean;
};
const gate = createRunnerGate(memory);
const words = new Int32Array(shared);
for (let turn = 0; turn < turns; turn++) {
  const leave = await gate.enter();
  if (Atomics.add(words, 0, 1) !== 0) Atomics.add(words, 1, 1);
  Atomics.add(words, 2, 1);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, holdMs);
  Atomics.sub(words, 0, 1);
  if (die) throw new Error("The runner dies with the gate in its hand");
  leave();
}
