/** The same again changes nothing, in whatever order, and the shortcut for unchanged rows is never noticed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { organizations } from "../../src/store/schema.ts";
import { roundsOnDeno } from "../support/rounds.ts";
import { approve, createLab, type Handed, holds, type Lab, NO_GUARDS, rowsOf, run } from "./lab.ts";
import { accountOf, changesOf, issuesOf, peopleOf, sorted, stateOf } from "./state.ts";
import { inputOf, key, live, policy, steps, write } from "./world.ts";
import type { Run } from "../../src/store/runs/runs.ts";

const world = (most: number) => fc.record({ key, policy, steps: steps({ steps: most }) });

test("the same input a second time plans nothing", async () => {
  await holds(world(4), roundsOnDeno(40, 2), async ({ steps, key, policy }, open) => {
    // Somebody missing may go the second time.
    const lab = await open(createLab({ key, policy: { ...policy, missing: "keep" } }));
    for (const step of steps) {
      const first = await live(lab, step);
      if (step.kind !== "input" || first === null || !["succeeded", "partial"].includes(first.status)) continue;
      for (const shortcut of [true, false]) {
        const copy = await open(lab.copy());
        const before = await peopleOf(copy);
        const again = await run(copy, { ...inputOf(step), mode: "plan" }, { shortcut });
        assert.equal(again.status, "planned", JSON.stringify(again.error));
        assert.deepEqual(await changesOf(copy, again), []);
        assert.equal(again.counts!.read, first.counts!.read);
        assert.equal(again.counts!.failed, first.counts!.failed);
        assert.equal((await approve(copy, again)).status, first.status);
        assert.deepEqual(await peopleOf(copy), before);
        copy.close();
      }
    }
  });
});

test("the order of rows does not matter", async () => {
  const shuffled = fc.record({ key, policy, steps: steps({ steps: 3 }), order: fc.infiniteStream(fc.nat(1000)) });
  await holds(shuffled, roundsOnDeno(50, 3), async ({ steps, key, policy, order }, open) => {
    const [lab, other] = [await open(createLab({ key, policy })), await open(createLab({ key, policy }))];
    for (const step of steps) {
      const rearranged = step.kind !== "input" ? step : {
        ...step,
        // A row with too few cells goes with its place.
        ragged: [],
        people: step.people.map((each) => [order.next().value, each] as const).sort(([a], [b]) => a - b)
          .map(([, each]) => each),
      };
      // The very same bytes would be skipped, others would not.
      for (const each of [lab, other]) await stir(each);
      const [left, right] = [
        await live(lab, step.kind === "input" ? { ...step, ragged: [] } : step),
        await live(other, rearranged),
      ];
      assert.deepEqual(await peopleOf(other), await peopleOf(lab));
      if (left === null || right === null) continue;
      assert.deepEqual(right.counts, left.counts);
      assert.deepEqual(right.heldBy, left.heldBy);
      assert.deepEqual(await saidOf(other, right), await saidOf(lab, left));
    }
  });
});

/** As if somebody had been edited and edited back. */
async function stir(lab: Lab): Promise<void> {
  await lab.hub.db.write([
    lab.hub.db.orm.update(organizations).set({ dataVersion: sql`${organizations.dataVersion} + 1` }),
  ]);
}

/** Issues without lines, and without words, which name lines. */
async function saidOf(lab: Lab, run: Run): Promise<unknown[]> {
  return sorted(
    (await issuesOf(lab, run)).map(({ severity, code, field, value }) => ({ severity, code, field, value })),
  );
}

test("with the shortcut for unchanged rows everything is as without it", async () => {
  const guarded = fc.record({
    key,
    policy,
    limits: fc.constantFrom(NO_GUARDS, NO_GUARDS, {}),
    steps: steps({ steps: 5 }),
    again: fc.nat(),
  });
  await holds(guarded, roundsOnDeno(25, 2), async ({ steps, again, ...rules }, open) => {
    const lab = await open(createLab(rules));
    const handed: Handed[] = [];
    for (const step of steps) {
      if (step.kind !== "input") {
        await live(lab, step);
        continue;
      }
      lab.clock.ms += 60_000;
      // The new input, and one that has been there before.
      handed.push(inputOf(step));
      for (const input of [handed.at(-1)!, handed[again % handed.length]!]) {
        await same(lab, input, open);
      }
      await run(lab, handed.at(-1)!);
    }
    for (const input of handed) await same(lab, input, open);
  });
});

/** Plans and applies the input with and without the shortcut, each on a copy. */
async function same(lab: Lab, input: Handed, open: (lab: Promise<Lab>) => Promise<Lab>): Promise<void> {
  const [fast, slow] = [await open(lab.copy()), await open(lab.copy())];
  const planned = await run(fast, { ...input, mode: "plan" });
  const looked = await run(slow, { ...input, mode: "plan" }, { shortcut: false });
  assert.deepEqual(await accountOf(fast, planned), await accountOf(slow, looked));
  if (planned.status === "planned") {
    const [applied, other] = [await approve(fast, planned), await approve(slow, looked, { shortcut: false })];
    assert.deepEqual(await accountOf(fast, applied), await accountOf(slow, other));
    assert.deepEqual(await stateOf(fast), await stateOf(slow));
  }
  fast.close();
  slow.close();
}

test("a digest vouches for a row that would change nothing and say nothing", async () => {
  await holds(world(5), roundsOnDeno(30, 2), async ({ steps, key, policy }, open) => {
    const lab = await open(createLab({ key, policy }));
    const rows = new Map<string, Handed>();
    for (const step of steps) {
      const done = await live(lab, step);
      if (step.kind === "input" && done !== null) {
        for (const each of step.people) {
          const text = write([each], step.format);
          rows.set(step.connection + text, { connection: step.connection, coverage: "diff", entity: "users", text });
        }
      }
      const known = await rowsOf(lab.hub.db, "links");
      assert.ok(known.every((link) => (link.digest === null) === (link.canonical === null)));
    }
    for (const input of rows.values()) {
      const copy = await open(lab.copy());
      const links = (await rowsOf(copy.hub.db, "links")).filter((link) => link.digest !== null).length;
      if (links === 0) break;
      const looked = await run(copy, { ...input, mode: "plan" }, { shortcut: false });
      const passed = await run(copy, { ...input, mode: "plan" });
      assert.deepEqual(await accountOf(copy, passed), await accountOf(copy, looked));
      copy.close();
    }
  });
});
