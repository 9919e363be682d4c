import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createKeySampler,
  createKeySearch,
  type KeySample,
  sharedKeys,
  smallerFirst,
} from "../../src/reconcile/key-sample.ts";

/** Evenly spread, and the same for the same number. */
const hash = (i: number) => (Math.imul(i, 0x9e3779b1) >>> 0) * 2 ** 21 + (Math.imul(i ^ 0x5bd1e995, 0x85ebca6b) >>> 11);

function sampleOf(from: number, to: number, most = 512): KeySample {
  const sampler = createKeySampler(most);
  for (let i = from; i < to; i++) for (let times = 0; times < 2; times++) sampler.add(hash(i));
  return sampler.sample();
}

test("of inputs with few keys the share is exact, whichever comes first", () => {
  assert.equal(sharedKeys(sampleOf(0, 10), sampleOf(5, 15)), 0.5);
  assert.equal(sharedKeys(sampleOf(0, 4), sampleOf(0, 100)), 1);
  assert.equal(sharedKeys(sampleOf(0, 100), sampleOf(90, 110)), 0.5);
  assert.equal(sharedKeys(sampleOf(0, 10), sampleOf(10, 20)), 0);
  assert.equal(sharedKeys(sampleOf(0, 0), sampleOf(0, 10)), 0);
});

test("of inputs with many keys it is near, from samples of a bounded size", () => {
  for (const [from, share] of [[0, 1], [5_000, 0.75], [10_000, 0.5], [15_000, 0.25], [20_000, 0]] as const) {
    const one = sampleOf(0, 20_000), other = sampleOf(from, from + 20_000);
    assert.ok(one.hashes.length <= 512 && other.hashes.length <= 512);
    assert.ok(Math.abs(sharedKeys(one, other)! - share) < 0.1, `${share}: ${sharedKeys(one, other)}`);
  }
});

test("where one input has so many more keys that its sample has hardly any of the other's, they are searched for", () => {
  const few = sampleOf(19_000, 21_000), many = sampleOf(0, 20_000, 64);
  assert.equal(sharedKeys(few, many), null);
  assert.equal(sharedKeys(many, few), null);
  assert.deepEqual(smallerFirst(many, few), [few, many]);
  const search = createKeySearch(few);
  for (let i = 0; i < 20_000; i++) search.look(hash(i));
  assert.ok(Math.abs(search.share() - 0.5) < 0.1, `${search.share()}`);
});
