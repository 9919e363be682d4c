import assert from "node:assert/strict";
import test from "node:test";
import { createPace } from "../../src/std/pace.ts";

/** A pace whose turns end when `end` is called, each after so many milliseconds as `costs` says of its group. */
function paced(costs: Record<string, number> = {}) {
  const begun: string[] = [];
  let over: ((ms: number) => void) | null = null;
  const pace = createPace((callback) => over = callback);
  const ask = (group: string, member: string) => pace.turn(group, member, () => void begun.push(`${group} ${member}`));
  function end(): boolean {
    const callback = over;
    if (callback === null) return false;
    over = null;
    callback(costs[begun.at(-1)!.split(" ")[0]!] ?? 1);
    return true;
  }
  return {
    begun,
    ask,
    end,
    endAll: () => {
      while (end());
    },
  };
}

test("a newcomer begins at once while nobody waits", () => {
  const { ask, begun, end } = paced();
  for (const member of ["a", "b", "c"]) {
    assert.equal(ask("one", member), undefined);
    assert.equal(begun.at(-1), `one ${member}`);
    assert.equal(end(), true);
  }
  assert.equal(end(), false);
});

test("a sender of thousands waits for their own, and others for one of them", () => {
  const { ask, begun, end, endAll } = paced();
  for (let n = 0; n < 5_000; n++) ask("flood", String(n));
  for (let n = 0; n < 100; n++) end();
  ask("other", "a");
  end();
  assert.equal(begun.at(-1), "other a");
  endAll();
  assert.equal(begun.length, 5_001);
  assert.equal(new Set(begun).size, 5_001);
});

test("turns are of the time that they take, so little work does not wait for much", () => {
  const { ask, begun, end } = paced({ heavy: 10, light: 1 });
  for (let n = 0; n < 100; n++) ask("heavy", "a");
  for (let n = 0; n < 100; n++) ask("light", "b");
  for (let n = 0; n < 54; n++) end();
  const heavy = begun.filter((each) => each === "heavy a").length;
  assert.ok(heavy >= 4 && heavy <= 6, `${heavy} of ${begun.length}`);
});

test("members of a group take turns, each with their first request first", () => {
  const { ask, begun, endAll } = paced();
  ask("one", "now");
  for (const member of ["a", "a", "a", "b", "b", "c"]) ask("one", member);
  endAll();
  assert.deepEqual(begun.map((each) => each.at(-1)), ["w", "a", "b", "c", "a", "b", "a"]);
});

test("who leaves never begins and costs nobody a turn; who has begun has left already", () => {
  const { ask, begun, end, endAll } = paced();
  ask("one", "now");
  const leaving = ["a", "a", "b", "c"].map((member) => ask("two", member)!);
  ask("three", "d");
  for (const leave of leaving.slice(1)) leave();
  end();
  assert.equal(begun.at(-1), "two a");
  for (const leave of leaving) leave();
  endAll();
  assert.deepEqual(begun, ["one now", "two a", "three d"]);
});
