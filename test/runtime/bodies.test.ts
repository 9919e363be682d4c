import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import test from "node:test";
import { createBodies } from "../../src/runtime/bodies.ts";
import type { Connection } from "../../src/runtime/connection.ts";

const INCOMING = { headers: { "content-length": "1000" }, complete: false } as unknown as IncomingMessage;

function connectionThatBrought(bytes: number): Connection {
  const socket = { bytesRead: bytes, pause() {}, resume() {} };
  return { socket, readAtRest: 0, body: null } as unknown as Connection;
}

/** Bodies of which nobody else looks after those that give way. */
function bodiesOf(limits: { maxBodies: number; maxQueuedBytes: number }) {
  const ended: Connection[] = [];
  const bodies = createBodies(limits, (connection) => {
    ended.push(connection);
    assert.ok(ended.length < 10, "The same ones give way again and again");
  }, () => 0);
  return { bodies, ended };
}

test("one that gives way to others at work does so once, even if its connection is gone already", () => {
  const { bodies, ended } = bodiesOf({ maxBodies: 1, maxQueuedBytes: 1e6 });
  const all = [1, 2, 3].map(connectionThatBrought);
  for (const each of all) bodies.receive(each, INCOMING);
  assert.deepEqual(ended, all.slice(0, 2));
});

test("one that gives way to others that wait does so once, even if its connection is gone already", () => {
  const { bodies, ended } = bodiesOf({ maxBodies: 10, maxQueuedBytes: 100 });
  const all = [60, 50, 70].map(connectionThatBrought);
  for (const each of all) bodies.holdBack(each, INCOMING);
  assert.deepEqual(ended, [all[0], all[2]]);
});
