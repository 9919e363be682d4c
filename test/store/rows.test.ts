import assert from "node:assert/strict";
import test from "node:test";
import { sql } from "drizzle-orm";
import { insertIf } from "../../src/store/database.ts";
import { findRow, listLatest } from "../../src/store/reads.ts";
import { mails } from "../../src/store/notify/schema-mails.ts";
import { organizations } from "../../src/store/schema.ts";
import { updateVersioned } from "../../src/store/writes.ts";
import { createTestHub } from "../support/hub.ts";

test("a row is inserted with its values as its table stores them, only if the condition holds", async () => {
  const { db, close, organization: { id: organizationId } } = await createTestHub();
  try {
    const mail = (id: number) => ({
      id,
      organizationId,
      type: "run.held",
      runId: null,
      facts: { again: true },
      attempts: sql<number>`1 + 1`,
      dueAt: 5,
      createdAt: 5,
    } as const);
    await db.write([
      db.run(insertIf(mails, mail(1), sql`1 = 1`)),
      db.run(insertIf(mails, mail(2), sql`exists (select 1 from mails where id = 3)`)),
      db.run(insertIf(mails, mail(3), sql`1 = 1`)),
    ]);
    const found = await findRow(db, mails, { id: 1, runId: null });
    assert.deepEqual([found?.facts, found?.attempts, found?.status], [{ again: true }, 2, "queued"]);
    assert.equal(await findRow(db, mails, { id: 1, runId: 1 }), null);
    const page = { before: null, limit: 10 };
    assert.deepEqual((await listLatest(db, mails, organizationId, undefined, page)).map(({ id }) => id), [3, 1]);
    assert.deepEqual(await listLatest(db, mails, organizationId + 1, undefined, page), []);
  } finally {
    close();
  }
});

test("a row is written with its next version, and not once another write was faster", async () => {
  const { db, close, organization } = await createTestHub();
  try {
    const current = await findRow(db, organizations, { id: organization.id });
    const changed = await updateVersioned(db, organizations, current!, { name: "First" }, {});
    assert.deepEqual([changed?.name, changed?.version], ["First", current!.version + 1]);
    assert.equal(await updateVersioned(db, organizations, current!, { name: "Second" }, {}), null);
    assert.equal((await findRow(db, organizations, { id: organization.id }))?.name, "First");
  } finally {
    close();
  }
});
