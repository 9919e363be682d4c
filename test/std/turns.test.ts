import fc from "fast-check";
import assert from "node:assert/strict";
import test from "node:test";
import { createTurns, hasPlace } from "../../src/std/turns.ts";

test("a newcomer is next, and one who was served for long does not wait forever", () => {
  const turns = createTurns();
  const self = (key: number) => key;
  for (let n = 0; n < 400; n++) turns.took(1, 50);
  assert.deepEqual(turns.order([1, 2], self), [2, 1]);
  turns.took(2, 60);
  assert.deepEqual(turns.order([1, 2, 3], self), [3, 1, 2]);
  turns.forget();
  assert.deepEqual(turns.order([1, 2, 3], self), [1, 2, 3]);
});

test("while somebody waits, each of the others is served at most what both take at a time, and one turn", () => {
  const MOST = 10;
  const arrivals = fc.array(
    fc.record({ key: fc.nat(5), at: fc.nat(60), cost: fc.integer({ min: 1, max: MOST }) }),
    { minLength: 1, maxLength: 80 },
  );
  fc.assert(fc.property(arrivals, (all) => {
    const turns = createTurns();
    const waiting = new Map<number, number[]>();
    /** What each other was served since the key began to wait for its next turn. */
    const passed = new Map<number, Map<number, number>>();
    const queued = [...all].sort((a, b) => a.at - b.at);
    for (let now = 0; queued.length > 0 || waiting.size > 0; now++) {
      while (queued.length > 0 && queued[0]!.at <= now) {
        const { key, cost } = queued.shift()!;
        waiting.set(key, [...waiting.get(key) ?? [], cost]);
        if (!passed.has(key)) passed.set(key, new Map());
      }
      if (waiting.size === 0) continue;
      const key = turns.order([...waiting.keys()], (each) => each)[0]!;
      const [cost, ...rest] = waiting.get(key)!;
      turns.took(key, cost!);
      if (rest.length === 0) waiting.delete(key);
      else waiting.set(key, rest);
      passed.delete(key);
      for (const other of waiting.keys()) {
        if (!passed.has(other)) passed.set(other, new Map());
        if (other === key) continue;
        const of = passed.get(other)!;
        of.set(key, (of.get(key) ?? 0) + cost!);
        assert.ok(of.get(key)! <= 2 * MOST, `${other} waits, and ${key} was served ${of.get(key)}`);
      }
    }
  }));
});

test("nobody takes more places than are left to others", () => {
  let taken = 0;
  const mine: number[] = [];
  for (let who = 0; who < 5; who++) {
    mine[who] = 0;
    while (hasPlace({ mine: mine[who]!, taken, all: 16, most: 4 })) mine[who]!++, taken++;
  }
  assert.deepEqual(mine, [4, 4, 4, 2, 1]);
});
