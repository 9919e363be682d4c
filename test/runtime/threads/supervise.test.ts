import assert from "node:assert/strict";
import test from "node:test";
import { supervise } from "../../../src/runtime/threads/supervise.ts";

const FILE = new URL("./supervise-fake.ts", import.meta.url);

test("a thread that ends by itself starts again, each time after twice the pause", async () => {
  const pauses: number[] = [];
  await new Promise<void>((resolve) => {
    const thread = supervise<string>({
      file: FILE,
      workerData: null,
      graceMs: 5_000,
      minPauseMs: 5,
      onMessage: () => pauses.length === 3 ? void thread.stop().then(resolve) : thread.post("end"),
      onRestart: (restartMs) => pauses.push(restartMs),
    });
  });
  assert.deepEqual(pauses, [5, 10, 20]);
});

test("no other thread starts where none is wanted", async () => {
  let exits = 0;
  let onExit = () => {};
  const exited = new Promise<void>((resolve) => onExit = resolve);
  const thread = supervise<string>({
    file: FILE,
    workerData: null,
    graceMs: 5_000,
    onMessage: () => thread.post("end"),
    onExit() {
      exits++;
      onExit();
      return false;
    },
    onRestart: () => assert.fail("restarted"),
  });
  await exited;
  await thread.stop();
  assert.equal(exits, 1);
});
