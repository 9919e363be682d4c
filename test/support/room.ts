/** How large a test's database may become, so that SQLite finds no room as it does on a disk that is full. */
import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { HUB } from "../../src/model/audit.ts";
import { recordAudit } from "../../src/store/audit.ts";
import { isFull } from "../../src/store/trouble.ts";
import type { TestHub } from "./hub.ts";

/** `pages` beyond what it has; null: as many as it likes. What is free within it is room too. */
export async function leaveRoom({ db }: TestHub, pages: number | null): Promise<void> {
  const [row] = await db.rows<[number]>(sql`select page_count from pragma_page_count`);
  await db.rows(sql.raw(`pragma max_page_count = ${pages === null ? 4_294_967_294 : row![0] + pages}`));
}

/** Takes what room there is, to the last entry of the audit: nothing that is to be in it can be written then. */
export async function leaveNone(hub: TestHub): Promise<void> {
  const { db, organization, now } = hub;
  await leaveRoom(hub, 0);
  for (const subjects of [["con_00000000001", "con_00000000002"], []]) {
    for (let tries = 0;; tries++) {
      assert.ok(tries < 10_000);
      const entry = { organizationId: organization.id, action: "connection.changed" as const, subjects };
      const error = await db.write([recordAudit(db, HUB, entry, now(), sql`1`)]).then(() => null, (error) => error);
      if (error === null) continue;
      assert.ok(isFull(error), error);
      break;
    }
  }
}
