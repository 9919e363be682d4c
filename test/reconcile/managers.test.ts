/** Managers: cycles, whom a row names, and who wrote the manager. */
import assert from "node:assert/strict";
import test from "node:test";
import { addCandidate, createCandidates, managerNamed } from "../../src/reconcile/columns/candidates.ts";
import { createManagerReferences, noteManager, withholdManager } from "../../src/reconcile/managers/references.ts";
import { cyclicChanges } from "../../src/reconcile/managers/tree.ts";
import { withManager } from "../../src/reconcile/managers/write.ts";
import { pathInWords } from "../../src/reconcile/issues/cycle-words.ts";
import { NOWHERE } from "../../src/reconcile/elsewhere.ts";
import { IMAGE_INDEX } from "../../src/reconcile/image.ts";
import type { Values } from "../../src/reconcile/validated.ts";
import { decideContext, knownUser, linkTo } from "../support/known-user.ts";

/** Pairs of a person and their manager; 0: none. */
const tree = (...pairs: readonly [number, number][]) => ({
  ids: Float64Array.from(pairs, ([id]) => id),
  managers: Float64Array.from(pairs, ([, manager]) => manager),
});
const dropped = (...args: Parameters<typeof cyclicChanges>) => [...cyclicChanges(...args).keys()].sort();

test("a chain is no cycle", () => {
  assert.deepEqual(dropped(tree([2, 1]), tree([3, 2], [4, 3])), []);
});

test("two who would manage each other both keep the manager they had", () => {
  assert.deepEqual(dropped(tree(), tree([1, 2], [2, 1])), [0, 1]);
});

test("a change that closes a cycle with managers that stay is dropped alone", () => {
  assert.deepEqual(dropped(tree([2, 1], [3, 2]), tree([1, 3], [9, 1])), [0]);
});

test("a manager who is taken away breaks the cycle", () => {
  assert.deepEqual(dropped(tree([2, 1]), tree([1, 2], [2, 0])), []);
});

test("dropping a change brings the old manager back, and a cycle that this closes falls too", () => {
  assert.deepEqual(dropped(tree([1, 2]), tree([1, 3], [3, 1], [2, 1])), [0, 1, 2]);
});

test("a cycle that exists already is left alone", () => {
  assert.deepEqual(dropped(tree([1, 2], [2, 1]), tree([3, 1])), []);
});

test("a path is named from one of its people round to that one, a long one in part", () => {
  const words = (length: number) => pathInWords(Array.from({ length }, (_, id) => id), 1, (id) => `P${id}`).join("");
  assert.equal(words(3), "P1 → P2 → P0 → P1");
  assert.match(words(13), /^P1 → .* → P10 → 3 more → P1$/);
});

test("a key comes before an id, an id before an email, and the second is kept to compare", () => {
  const managers = createManagerReferences(), candidates = createCandidates();
  const named = (values: Values) => {
    const candidate = addCandidate(candidates, 0, 2);
    noteManager(managers, candidates, candidate, values);
    const reference = managerNamed(candidates, candidate);
    const second = managers.second.get(candidate);
    return [reference, second].map((each) => each === undefined || each === null ? each : managers.values[each]);
  };
  assert.deepEqual(named({ manager_email: "bo@acme.test", manager_id: "E7" }), ["E7", "bo@acme.test"]);
  assert.deepEqual(named({ manager_id: "E7", manager_key: "K7" }), ["K7", "E7"]);
  assert.deepEqual(named({ manager_id: null }), [null, undefined]);
  assert.deepEqual(named({ manager_id: null, manager_email: "bo@acme.test" }), ["bo@acme.test", undefined]);
  assert.deepEqual(named({ title: "Cook" }), [undefined, undefined]);
  assert.equal(managers.values.length, 3);
});

test("a manager of a connection of higher priority is withheld, and known to have been reported before", () => {
  const managers = createManagerReferences(), candidates = createCandidates();
  const candidate = addCandidate(candidates, 0, 2);
  const own = knownUser(1, { manager_id: 9, field_sources: { manager: 2 } });
  const link = linkTo(1, { withheld: { manager: "E7" } });
  const context = decideContext({ outranks: [2] });
  assert.equal(
    withholdManager(managers, candidates, candidate, own, link, { manager_id: "E7" }, NOWHERE, context),
    "E7",
  );
  assert.equal(managers.reported.get(candidate), true);
});

test("a connection that sets the manager of another's user is remembered as who wrote it, a hand's edit is forgotten", () => {
  const user = knownUser(1, { source_id: 2, edited_by_hand: ["manager", "title"] });
  const after = withManager(user.image, 9, 1);
  assert.equal(after[IMAGE_INDEX.manager_id], 9);
  assert.deepEqual(after[IMAGE_INDEX.field_sources], { manager: 1 });
  assert.deepEqual(after[IMAGE_INDEX.edited_by_hand], ["title"]);
  assert.equal(withManager(user.image, null, 2)[IMAGE_INDEX.field_sources], null);
});
