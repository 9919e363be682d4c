/** One short round on each database; `npm run soak` plays long ones. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seed } from "../support/chance.ts";
import { without } from "../support/programs.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { DATABASES } from "./databases.ts";
import { hasFaketime } from "./hubs.ts";
import { CLOCKS, play } from "./round.ts";

const skip = onlyInCheckOnDeno || ("Deno" in globalThis ? false : "on Deno alone") ||
  (hasFaketime ? false : without("faketime", "faketime"));

for (const [name, serve] of Object.entries(DATABASES)) {
  test(`three hubs with different clocks on one ${name}, one killed again and again, lose and double nothing`, {
    skip,
  }, async () => {
    const shape = { organizations: 3, people: 200, endpoints: 6, clocks: CLOCKS, seconds: 20, killEveryMs: 4000 };
    const figures = await play({ ...shape, serve, seed });
    assert.ok(figures.kills >= 3, JSON.stringify({ seed, ...figures }));
  });
}
