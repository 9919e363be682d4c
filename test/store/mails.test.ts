import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { claimMails } from "../../src/store/notify/mails.ts";
import { mails } from "../../src/store/notify/schema-mails.ts";
import { createTurns } from "../../src/std/turns.ts";
import { createTestHub } from "../support/hub.ts";

test("a mail of one organization is sent before the hundreds of another that wait, whoever is asked", async () => {
  const hub = await createTestHub();
  try {
    const queue = async (organizationId: number, count: number) => {
      for (let n = 0; n < count; n++) {
        await hub.db.write([
          hub.db.orm.insert(mails).values({
            organizationId,
            type: "run.failures",
            facts: {} as never,
            dueAt: hub.clock.ms,
            createdAt: hub.clock.ms,
          }) as never,
        ]);
      }
    };
    const turns = createTurns();
    const claim = async () => {
      const claimed = await claimMails(hub.db, hub.clock.ms, {
        sender: { name: "test" },
        limit: 4,
        turns,
      });
      // What its sender has not settled would be claimed again.
      await hub.db.write([hub.db.run(sql`update mails set status = 'sent', sender = null where sender = 'test'`)]);
      return claimed.map(({ organizationId }) => organizationId).sort();
    };
    await queue(1, 200);
    assert.deepEqual(await claim(), [1, 1, 1, 1]);
    await queue(2, 2);
    await queue(3, 1);
    assert.deepEqual(await claim(), [1, 2, 2, 3]);
    assert.deepEqual(await claim(), [1, 1, 1, 1]);
    await queue(4, 10);
    assert.deepEqual(await claim(), [1, 1, 4, 4], "nor does it have all of them to itself");
  } finally {
    hub.close();
  }
});
