import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_GUARDS, floorAt, GUARD_NAMES, isLooser, type Limits, resolveGuards } from "../../src/model/guards.ts";

/** Whether the limits of `after` let something pass that `before` held. */
const looser = (before: Limits, after: Limits) => {
  const old = resolveGuards(before), guards = resolveGuards(after);
  return GUARD_NAMES.filter((name) => isLooser(old[name], guards[name]));
};

test("a floor that is set counts at every size, so it is looser than one that is small for small organizations", () => {
  assert.deepEqual(looser({}, {}), []);
  assert.deepEqual(looser({}, { deactivate: { floor: DEFAULT_GUARDS.deactivate.floor } }), ["deactivate"]);
  assert.deepEqual(looser({}, { update: { floor: 6 } }), ["update"]);
  assert.deepEqual(looser({}, { deactivate: { floor: 2 }, update: { floor: 5 } }), []);
  assert.deepEqual(looser({ deactivate: { floor: 3 } }, {}), ["deactivate"]);
  assert.deepEqual(looser({ deactivate: { floor: 5 } }, {}), []);
  assert.deepEqual(looser({}, { departments: { enabled: false } }), ["departments"]);
});

test("no floor falls as an organization grows", () => {
  const guards = resolveGuards({});
  for (const name of GUARD_NAMES) {
    const floors = Array.from({ length: 300 }, (_, base) => floorAt(guards[name], base));
    assert.deepEqual(floors, floors.toSorted((a, b) => a - b), name);
    assert.equal(floors.at(-1), DEFAULT_GUARDS[name].floor, name);
  }
});
