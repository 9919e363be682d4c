/**
 * Whatever an HR department's files do to the people they are about, the hub does what the rules say: a plain model of the
 * rules, written without a look at the engine, says the same of each row, each hold and everybody afterwards.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isSeedFixed, seed } from "../support/chance.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { huntRules, isVaried } from "./scenarios/hunt.ts";

test("the hub does with files what the rules say", async () => {
  assert.ok(isVaried(await huntRules(20, (count) => count >= 8)));
});

const SECONDS = 30, SCENARIOS = 150;

test("the hub does with many more files what the rules say", { skip: onlyInCheckOnDeno }, async () => {
  const end = Date.now() + SECONDS * 1000;
  const isEnough = (count: number) => isSeedFixed ? count >= SCENARIOS : Date.now() >= end;
  assert.ok(isVaried(await huntRules(seed, isEnough)), `from seed ${seed}`);
});
