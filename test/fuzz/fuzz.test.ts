/** Files that come about by chance: a few in `npm test`, half a minute of each kind in the check. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rounds } from "../support/rounds.ts";
import { fuzzHub, fuzzReader, type Tally } from "./fuzz.ts";

const SECONDS = 30;

/** `few` inputs in `npm test`, which are the same ones each time. */
function enough(few: number): (count: number) => boolean {
  const end = Date.now() + SECONDS * 1000;
  return rounds<(count: number) => boolean>(() => Date.now() >= end, (count) => count >= few);
}

/** Another beginning in each check; the message of a failure has the seed. */
const seed = rounds(Date.now() % 1e9, 1);

function isVaried(tally: Tally): boolean {
  return Object.keys(tally).length > 3;
}

test("whatever comes, the reader reads it alike in any chunks, or says why not", async () => {
  assert.ok(isVaried(await fuzzReader(seed, enough(300))));
});

test("whatever comes, a hub applies all of it or nothing, and nothing a second time", async () => {
  assert.ok(isVaried(await fuzzHub(seed, enough(40))));
});
