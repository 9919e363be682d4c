/** The thread beside a command's own: what it does is the same without it, and the log does not grow for long. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { sql } from "drizzle-orm";
import { type Beside, createBeside } from "../../../src/runtime/threads/beside.ts";
import { migrateDatabase, openDatabase } from "../../../src/runtime/database.ts";
import type { Database } from "../../../src/store/database.ts";
import { digestContent, EVERYWHERE, writeContent } from "../../../src/store/runs/drop-content.ts";
import { onlyInCheck } from "../../support/rounds.ts";

const MEGABYTE = 1024 * 1024;

async function withBeside(
  work: (beside: Beside, db: Database, file: string) => Promise<void>,
  url?: string,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "muster-"));
  const file = join(dir, "muster.db");
  await migrateDatabase(`file:${file}`, null);
  const beside = createBeside(url ?? `file:${file}`, { bytesAlone: 0, checkpointEveryMs: 0 });
  const { db } = await openDatabase({ url: `file:${file}`, authToken: null, role: "alone", wrote: beside.wrote });
  try {
    await work(beside, db, file);
  } finally {
    await beside.end();
    db.close();
    rmSync(dir, { recursive: true });
  }
}

/** Some of it can be packed and some not. */
function contentOf(megabytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(megabytes * MEGABYTE);
  for (let from = 0; from < bytes.length; from += 2 * MEGABYTE) {
    for (let at = from; at < from + MEGABYTE; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

test("a drop that is packed in two threads is the same drop", { skip: onlyInCheck }, async () => {
  await withBeside(async ({ packing }, db) => {
    const content = contentOf(24);
    const usual = await writeContent(db, 1, new Blob([content]).stream());
    for (const drop of [2, 3]) {
      assert.deepEqual(await writeContent(db, drop, new Blob([content]).stream(), packing), usual);
      assert.deepEqual(await digestContent(db, drop, packing), usual);
      assert.deepEqual(await digestContent(db, drop, EVERYWHERE), usual);
    }
  });
});

test("what is no gzip, or too much for the thread, ends as it does without it", async () => {
  await withBeside(async ({ packing }) => {
    const small = new TextEncoder().encode("a,b\n");
    const large = new Uint8Array(3 * MEGABYTE).fill(7);
    for (let n = 0; n < 40; n++) {
      await assert.rejects(packing.gunzip(small), /header/i);
      assert.deepEqual(new Uint8Array(await packing.gunzip(await packing.gzip(small))), new Uint8Array(small));
    }
    // Becomes larger than what the thread can hand back.
    assert.deepEqual(new Uint8Array(await packing.gunzip(await packing.gzip(large))), large);
  });
});

test("the log is moved into the file while the command goes on, and the command waits for none of it", async () => {
  await withBeside(async ({ packing }, db, file) => {
    await packing.gzip(new Uint8Array(10));
    const before = statSync(file).size;
    const body = crypto.getRandomValues(new Uint8Array(60_000));
    // Fewer pages than the connection lets gather before it moves them itself.
    for (let chunk = 0, end = Date.now() + 20_000; statSync(file).size < before + MEGABYTE; chunk++) {
      assert.ok(Date.now() < end, `still ${statSync(file).size} bytes after ${chunk} writes`);
      await db.write([
        db.orm.run(
          sql`insert into drop_chunks (drop_id, part, chunk, bytes, body) values (9, 1, ${chunk}, 60000, ${body})`,
        ),
      ]);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
});

test("a thread that cannot open the database does the rest of its work, and comes to its end", async () => {
  await withBeside(async ({ packing, wrote }) => {
    const text = new TextEncoder().encode("a,b\n".repeat(1000));
    for (let n = 0; n < 50; n++) {
      wrote();
      assert.deepEqual(new Uint8Array(await packing.gunzip(await packing.gzip(text))), text);
    }
  }, "file:/nowhere/at/all/muster.db");
});
