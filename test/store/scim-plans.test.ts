/** The filters that providers send all day are answered by an index, however many people a connection has. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "drizzle-orm";
import { parseFilter } from "../../src/scim/filter.ts";
import { ENTERPRISE, userType } from "../../src/scim/user-schema.ts";
import { fromPeople } from "../../src/store/scim/people.ts";
import { conditionOf, startOf } from "../../src/store/scim/user-filter.ts";
import { createTestHub } from "../support/hub.ts";

test("what a person is matched by is found by an index", async () => {
  const hub = await createTestHub();
  try {
    const indexes: Readonly<Record<string, RegExp>> = {
      'userName eq "ann@example.com"': /scim_users_name/,
      'externalId eq "a1"': /scim_users_external/,
      'id eq "usr_00000000001"': /SEARCH u USING INTEGER PRIMARY KEY/,
      'emails[type eq "work"].value eq "ann@example.com"': /users_email/,
      'emails eq "ann@example.com"': /users_email/,
      [`${ENTERPRISE}:employeeNumber eq "7"`]: /users_employee_id/,
    };
    for (const [filter, index] of Object.entries(indexes)) {
      const parsed = parseFilter(userType([]), filter);
      const within = { organizationId: 1, connectionId: 1 };
      const rows = await hub.db.rows(
        sql`explain query plan select u.id ${fromPeople(within, conditionOf(parsed), startOf(parsed))} order by +u.id`,
      );
      const plan = rows.map((row) => row.at(-1)).join("\n");
      assert.match(plan, index, `${filter}\n${plan}`);
      assert.doesNotMatch(plan, /SCAN/, `${filter}\n${plan}`);
    }
  } finally {
    hub.close();
  }
});
