/** Records that the thread beside cuts: the same as without it, whatever the file holds, and however the thread fares. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import type { ReadReport } from "../../src/connector.ts";
import { type Beside, createBeside } from "../../src/door/beside.ts";
import { migrateDatabase, openDatabase } from "../../src/door/database.ts";
import { readCsv } from "../../src/intake/csv.ts";
import type { CutElsewhere } from "../../src/intake/cut.ts";
import type { Salt } from "../../src/record.ts";
import type { Database } from "../../src/store/database.ts";
import { EVERYWHERE, openDrop, writeContent } from "../../src/store/drop-content.ts";
import type { Drop } from "../../src/store/drops.ts";

const SALT: Salt = Int32Array.of(1, -2, 3, -4);
const OPTIONS = {
  encoding: "auto",
  delimiter: ",",
  maxRowBytes: 300_000,
  maxColumns: 50,
  maxBytes: 1e9,
} as const;

async function withBeside(work: (beside: Beside, db: Database) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "muster-"));
  const url = `file:${join(dir, "muster.db")}`;
  await migrateDatabase(url, null);
  const beside = createBeside(url, { bytesAlone: 0 });
  const { db } = await openDatabase({ url, authToken: null, role: "alone" });
  try {
    await work(beside, db);
  } finally {
    await beside.end();
    db.close();
    rmSync(dir, { recursive: true });
  }
}

interface Read {
  /** Digest, line and cells of each row. */
  readonly rows: unknown[];
  readonly report: ReadReport;
  readonly fault: unknown;
}

async function read(
  db: Database,
  id: number,
  elsewhere: CutElsewhere | null,
  each: (block: number) => Promise<void> = async () => {},
): Promise<Read> {
  const report: ReadReport = { delimiter: null, endsWithLineEnd: true };
  const rows: unknown[] = [];
  let fault: unknown = null, blocks = 0;
  const drop = { id, name: "people.csv", contentType: "text/csv", bytes: 1 } as Drop;
  try {
    for await (const block of readCsv(openDrop(db, drop, EVERYWHERE).open(), OPTIONS, report, elsewhere)) {
      const digests = new Int32Array(4);
      const all = Array.from({ length: block.count }, (_, index) => index);
      const cells = block.rows(all);
      for (const index of all) {
        block.digest(index, SALT, digests, 0);
        rows.push([digests.join(), block.line(index), cells[index]!.cells]);
      }
      await each(blocks++);
    }
  } catch (error) {
    const { code, message, line } = error as { code: string; message: string; line?: number | null };
    fault = { code, message, line };
  }
  return { rows, report, fault };
}

/** So many rows of so many bytes, some with quotes, line ends in quotes and letters of several bytes. */
function manyRows(count: number, width: number): Uint8Array<ArrayBuffer> {
  const rows = ["\ufeffid,name,note"];
  for (let n = 0; n < count; n++) {
    const note = n % 7 === 0 ? `"two\nlines, ${"ü".repeat(n % 5)}"` : "x".repeat(n % width);
    rows.push(`${n},Ä ${n},${note}`);
  }
  return new TextEncoder().encode(rows.join("\n"));
}

test("a large file is the same rows, digests and lines, read twice", async () => {
  await withBeside(async (beside, db) => {
    // Long rows fill a slot's bytes, short ones its number of records.
    for (const [id, content] of [manyRows(60_000, 60), manyRows(300_000, 2)].entries()) {
      await writeContent(db, id + 1, new Blob([content]).stream());
      const usual = await read(db, id + 1, null);
      assert.equal(usual.fault, null);
      let used = 0;
      const counting: CutElsewhere = {
        open(from) {
          const stretches = beside.cutting(id + 1, content.length)!.open(from)!;
          const next = async () => {
            const stretch = await stretches.next();
            if (stretch?.digests != null) used++;
            return stretch;
          };
          return { ...stretches, next };
        },
      };
      for (let time = 0; time < 2; time++) assert.deepEqual(await read(db, id + 1, counting), usual);
      assert.ok(used > 10, "digests came with the records");
    }
  });
});

test("whatever a file holds, it is the same rows or the same fault", async () => {
  await withBeside(async (beside, db) => {
    const piece = fc.oneof(
      fc.constantFrom("a,b,c\n", "1,2,3\r\n", "\n", '"q","""",\n', '"open', "x,y\r", "\u0000", "é,ü\n", ",,\n", "1,2"),
      fc.constant("long,".repeat(2_000) + "\n"),
      // Larger than a slot.
      fc.constant(`${"w".repeat(270_000)},1,2\n`),
    );
    const bytes = fc.oneof(
      fc.array(piece, { maxLength: 30 }).map((pieces) => new TextEncoder().encode(`a,b,c\n${pieces.join("")}`)),
      fc.uint8Array({ maxLength: 60 }).map((tail) =>
        Uint8Array.from([...new TextEncoder().encode("a,b\n1,2\n"), ...tail])
      ),
    );
    let id = 0;
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        await writeContent(db, ++id, new Blob([content]).stream());
        assert.deepEqual(await read(db, id, beside.cutting(id, content.length)!), await read(db, id, null));
      }),
      { numRuns: 60 },
    );
  });
});

test("a reading that is left early, or two at once, keep the next one from nothing", async () => {
  await withBeside(async (beside, db) => {
    const content = manyRows(30_000, 60);
    await writeContent(db, 1, new Blob([content]).stream());
    const usual = await read(db, 1, null);
    const cut = () => beside.cutting(1, content.length)!;
    const drop = { id: 1, name: "people.csv", contentType: "text/csv", bytes: content.length } as Drop;
    for await (
      const _ of readCsv(openDrop(db, drop).open(), OPTIONS, { delimiter: null, endsWithLineEnd: true }, cut())
    ) {
      break;
    }
    assert.deepEqual(await Promise.all([read(db, 1, cut()), read(db, 1, cut())]), [usual, usual]);
    assert.deepEqual(await read(db, 1, cut()), usual);
  });
});

test("a thread that ends in the middle of a reading leaves the rest to whoever reads", async () => {
  await withBeside(async (beside, db) => {
    const content = manyRows(60_000, 60);
    await writeContent(db, 1, new Blob([content]).stream());
    const ended = await read(db, 1, beside.cutting(1, content.length)!, async (block) => {
      if (block === 2) await beside.end();
    });
    assert.deepEqual(ended, await read(db, 1, null));
  });
});
