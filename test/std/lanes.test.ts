import assert from "node:assert/strict";
import test from "node:test";
import { createLane } from "../../src/std/lanes.ts";

test("whoever stops waiting leaves, and the next one gets the place", async () => {
  const lane = createLane(1);
  const leave = await lane.take("a");
  const stop = new AbortController();
  const stopped = lane.take("b", stop.signal), next = lane.take("c");
  stop.abort(new Error("no longer"));
  await assert.rejects(stopped, /no longer/);
  leave();
  (await next)();
  (await lane.take("d", new AbortController().signal))();
});

test("nobody waits whose signal was aborted before", async () => {
  const lane = createLane(1);
  await assert.rejects(lane.take("a", AbortSignal.abort(new Error("gone"))), /gone/);
  (await lane.take("b"))();
});

test("a signal that is aborted later does not take a place back", async () => {
  const lane = createLane(1);
  const stop = new AbortController();
  const leave = await lane.take("a", stop.signal);
  stop.abort(new Error("later"));
  let isIn = false;
  const next = lane.take("b").then((done) => (isIn = true, done));
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(isIn, false);
  leave();
  (await next)();
});
