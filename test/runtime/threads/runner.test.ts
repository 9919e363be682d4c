import assert from "node:assert/strict";
import test from "node:test";
import { createGateMemory, createMainGate } from "../../../src/runtime/threads/gate.ts";
import { startRunner } from "../../../src/runtime/threads/runner.ts";

function start(publicUrl: string, graceMs = 5_000) {
  const memory = createGateMemory();
  const gate = createMainGate(memory);
  const events: string[] = [];
  let told = () => {};
  const runner = startRunner({
    databaseUrl: "file::memory:",
    keys: { texts: [], file: null },
    databaseAuthToken: null,
    connectors: [],
    publicUrl,
    retainDays: 30,
    allowHosts: "",
    gate: memory,
  }, {
    gate,
    file: new URL("./runner-fake.ts", import.meta.url),
    minPauseMs: 10,
    graceMs,
    log: (event, details) => {
      events.push(`${event} ${JSON.stringify(details ?? {})}`);
      told();
    },
  });
  const said = async (count: number) => {
    while (events.length < count) await new Promise<void>((resolve) => told = resolve);
    return events;
  };
  return { runner, gate, events, said };
}

test("the runner's thread is started, woken and stopped", async () => {
  const { runner, said } = start("http://acme.test");
  await said(1);
  runner.wake();
  await said(2);
  await runner.stop();
  assert.deepEqual(await said(3), [
    'started {"publicUrl":"http://acme.test"}',
    "woken {}",
    'stopped {"asked":true}',
  ]);
});

test("a thread that dies is said, started again, and keeps nobody from writing", async () => {
  const { runner, gate, said } = start("http://mortal.example.com");
  await said(1);
  runner.wake();
  const events = await said(3);
  assert.match(
    events[1]!,
    /^runner\.ended \{"error":"Error: The thread dies with the gate in its hand","restart_ms":10\}$/,
  );
  assert.match(events[2]!, /^started/);
  (await gate.enter())();
  await runner.stop();
});

test("a thread that does not stop by itself is ended between two of its turns", async () => {
  const { runner, gate, said } = start("http://deaf.example.com", 100);
  await said(1);
  await runner.stop();
  (await gate.enter())();
});
