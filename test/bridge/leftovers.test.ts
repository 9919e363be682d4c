import assert from "node:assert/strict";
import { test } from "node:test";
import { oldLeftovers, rememberLeftovers } from "../../src/bridge/leftovers.ts";

const HOUR_MS = 3_600_000;

test("what a hosted server knows of leftovers is reported after an hour, beside what names and sizes show", () => {
  const files = [
    { name: "cut.csv", bytes: 4, modifiedAt: 1000, left: "unfinished" },
    { name: "people.xlsx", bytes: 4, modifiedAt: 2000, left: "unmatched" },
    { name: "a.part", bytes: 4, modifiedAt: 3000, left: "unfinished" },
    { name: "good.csv", bytes: 4, modifiedAt: 4000 },
  ] as const;
  const seen = rememberLeftovers(new Map(), files, ["*.csv"], 5000);
  assert.deepEqual(oldLeftovers(seen, 5000), []);
  assert.deepEqual(oldLeftovers(seen, 3000 + HOUR_MS).map(({ name, why }) => [name, why]), [
    ["cut.csv", "unfinished"],
    ["people.xlsx", "unmatched"],
    ["a.part", "temporary"],
  ]);
});
