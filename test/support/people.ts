/** People and departments put straight into the store, for tests of what happens to them afterwards. */
import { foldName } from "../../src/reconcile/fold.ts";
import { departments, links, users } from "../../src/store/people/schema.ts";
import { reserve } from "../../src/store/sequences.ts";
import type { TestHub } from "./hub.ts";

type UserRow = typeof users.$inferInsert;

/** An active user of the default organization, unless said otherwise; gives its id. */
export async function insertUser(hub: TestHub, row: Partial<UserRow>): Promise<number> {
  const id = await reserve(hub.db, "user");
  await hub.db.write([
    hub.db.orm.insert(users).values({
      organizationId: hub.organization.id,
      status: "active",
      firstName: "Ana",
      lastName: "Lopez",
      createdAt: hub.clock.ms,
      updatedAt: hub.clock.ms,
      ...row,
      id,
    }),
  ]);
  return id;
}

/** An active department of the default organization, unless said otherwise; gives its id. */
export async function insertDepartment(
  hub: TestHub,
  name: string,
  row: Partial<typeof departments.$inferInsert> = {},
): Promise<number> {
  const id = await reserve(hub.db, "department");
  await hub.db.write([
    hub.db.orm.insert(departments).values({
      organizationId: hub.organization.id,
      createdAt: hub.clock.ms,
      updatedAt: hub.clock.ms,
      ...row,
      id,
      name,
      folded: foldName(name),
    }),
  ]);
  return id;
}

/** What a connection's record said of a user. */
export async function insertLink(hub: TestHub, connectionId: number, sourceKey: string, userId: number): Promise<void> {
  await hub.db.write([hub.db.orm.insert(links).values({ connectionId, sourceKey, userId, active: true })]);
}
