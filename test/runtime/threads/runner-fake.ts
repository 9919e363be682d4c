/** Stands in for the runner's thread in test/runtime/threads/runner.test.ts: tells what it is told, and dies when asked to. */
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { createRunnerGate } from "../../../src/runtime/threads/gate.ts";

const { gate, stopping, publicUrl } = workerData as {
  gate: SharedArrayBuffer;
  stopping: SharedArrayBuffer;
  publicUrl: string;
};
const port = parentPort!;
port.postMessage({ event: "started", details: { publicUrl } });
if (publicUrl === "http://deaf.example.com") {
  // Holds the gate for ever in short turns, and never looks whether it is to stop.
  for (;;) {
    const leave = await createRunnerGate(gate).enter();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    leave();
  }
}
port.on("message", async (message: string) => {
  if (message === "stop") {
    port.postMessage({ event: "stopped", details: { asked: Atomics.load(new Int32Array(stopping), 0) === 1 } });
    process.exit(0);
    return;
  }
  if (publicUrl === "http://mortal.example.com") {
    await createRunnerGate(gate).enter();
    throw new Error("The thread dies with the gate in its hand");
  }
  port.postMessage({ event: "woken" });
});
