import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { migrateDatabase, openDatabase } from "../../src/runtime/database.ts";
import { packing } from "../../src/runtime/packing.ts";
import { digestContent, writeContent } from "../../src/store/runs/drop-content.ts";

test("a drop that is packed faster is the same drop", async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const url = `file:${join(dir, "muster.db")}`;
  await migrateDatabase(url, null);
  const { db } = await openDatabase({ url, authToken: null, role: "alone" });
  const text = Array.from({ length: 50_000 }, (_, i) => `${i},person${i}@example.com,Person,Number\n`).join("");
  const usual = await writeContent(db, 1, new Blob([text]).stream());
  const faster = await writeContent(db, 2, new Blob([text]).stream(), packing);
  assert.deepEqual(faster, usual);
  assert.equal(faster.bytes, text.length);
  assert.deepEqual(await digestContent(db, 2), usual);
  db.close();
  await rm(dir, { recursive: true });
});
