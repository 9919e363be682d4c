/**
 * Whatever an HR department's files do to the people they are about, the hub does what the rules say: a plain model of the
 * rules, written without a look at the engine, says the same of each row, each hold and everybody afterwards.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { onlyInCheck } from "../support/rounds.ts";
import { huntRules, isVaried } from "./scenarios/hunt.ts";

test("the hub does with files what the rules say", async () => {
  assert.ok(isVaried(await huntRules(1, (count) => count >= 8)));
});

// New ones are tried by `npm run fuzz`; here they are the same each time, so that a red check is about the change.
test("the hub does with many more files what the rules say", { skip: onlyInCheck }, async () => {
  const seed = Number(process.env.RULES_SEED ?? 50_000);
  assert.ok(isVaried(await huntRules(seed, (count) => count >= 250)), `from seed ${seed}`);
});
