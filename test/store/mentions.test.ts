/** Look-ups for explanations go by an index, however many runs and people there are. */
import assert from "node:assert/strict";
import test from "node:test";
import { type SQL, sql } from "drizzle-orm";
import { linkedUsersQuery, plannedQuery, recentRunsQuery, rowsQuery } from "../../src/store/people/mentions.ts";
import { importing } from "../support/imports.ts";

const QUERIES: Readonly<Record<string, SQL>> = {
  "users by their keys": linkedUsersQuery(1, ["a", "b"]),
  "the last runs of each connection": recentRunsQuery(1),
  "planned changes of runs": plannedQuery(1, [1, 2], ["a", "b"]),
  "rows with issues of runs": rowsQuery(1, [1, 2], ["a", "b"]),
};

for (const [what, query] of Object.entries(QUERIES)) {
  test(`${what} are found by an index`, () =>
    importing(async ({ hub: { db } }) => {
      const plan = (await db.rows<[number, number, number, string]>(sql`explain query plan ${query}`))
        .map(([, , , detail]) => detail);
      // What is scanned is the text of a parameter, a page that was found, or what another part of the query gives.
      const scans = plan.filter((line) =>
        line.startsWith("SCAN ") && !/^SCAN (\w VIRTUAL TABLE|\(|json_each)/.test(line)
      );
      assert.deepEqual(scans, [], plan.join("\n"));
      assert.ok(plan.some((line) => line.startsWith("SEARCH ")));
    }));
}
