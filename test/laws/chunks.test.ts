/** However the bytes of a drop were cut when they were stored, the same rows are read from them. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { dropChunks } from "../../src/store/runs/schema-drops.ts";
import { roundsOnDeno } from "../support/rounds.ts";
import { carryAll, createLab, hand, holds, runOf } from "./lab.ts";
import { accountOf, stateOf } from "./state.ts";
import { inputOf, key, live, policy, steps } from "./world.ts";

test("a drop stored in any chunks gives the same plan and the same end", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 });
  const world = fc.record({ key, policy, steps: steps({ steps: 2 }), sizes });
  await holds(world, roundsOnDeno(60, 3), async ({ steps, sizes, ...rules }, open) => {
    const lab = await open(createLab(rules));
    for (const step of steps) {
      if (step.kind !== "input") {
        await live(lab, step);
        continue;
      }
      const input = inputOf({ ...step, people: step.people.map((each) => ({ ...each, title: `${each.title}é→😀` })) });
      const cut = await open(lab.copy());
      const [whole, id] = [await hand(lab, input), await hand(cut, input)];
      const dropId = (await runOf(cut, id)).dropId!;
      const bytes = new TextEncoder().encode(input.text);
      const bodies: Uint8Array[] = [];
      for (let from = 0, turn = 0; from < bytes.length; turn++) {
        bodies.push(bytes.slice(from, from += sizes[turn % sizes.length]!));
      }
      await cut.hub.db.write([
        cut.hub.db.orm.delete(dropChunks).where(sql`${dropChunks.dropId} = ${dropId}`),
        cut.hub.db.orm.insert(dropChunks).values(bodies.map((body, place) => ({
          dropId,
          part: 1 + Math.floor(place / 7),
          chunk: place % 7,
          bytes: body.length,
          body: gzipSync(body),
        }))),
      ]);
      await carryAll(lab);
      await carryAll(cut);
      assert.deepEqual(await accountOf(cut, await runOf(cut, id)), await accountOf(lab, await runOf(lab, whole)));
      assert.deepEqual(await stateOf(cut, { digests: true }), await stateOf(lab, { digests: true }));
      cut.close();
    }
  });
});
