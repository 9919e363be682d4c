/** Files that come about by chance: a few in `npm test`, half a minute of each kind in the check. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seed } from "../support/chance.ts";
import { roundsOnDeno } from "../support/rounds.ts";
import { fuzzHub, fuzzReader, type Tally } from "./fuzz.ts";

const READ = roundsOnDeno(8_000, 150), IMPORTED = roundsOnDeno(300, 20);

/** Neither all refused nor all read. */
function isVaried(tally: Tally): boolean {
  return Object.keys(tally).length > 3;
}

test("whatever comes, the reader reads it alike in any chunks, or says why not", async () => {
  assert.ok(isVaried(await fuzzReader(seed, (count) => count >= READ)));
});

test("whatever comes, a hub applies all of it or nothing, and nothing a second time", async () => {
  assert.ok(isVaried(await fuzzHub(seed, (count) => count >= IMPORTED)));
});
