import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { digestContent, openDrop, writeContent } from "../../src/store/runs/drop-content.ts";
import { listParts, writePart } from "../../src/store/runs/drop-parts.ts";
import { createDrop, findDrop } from "../../src/store/runs/drops.ts";
import { dropChunks } from "../../src/store/runs/schema-drops.ts";
import { createTestHub, type TestHub } from "../support/hub.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const INPUT = { name: "a.csv", contentType: "text/csv", mode: "auto", entity: null, coverage: null } as const;

let hub: TestHub;

before(async () => {
  hub = await createTestHub();
});
after(() => hub.close());

/** A stream of the data in pieces of these sizes, over and over. */
function streamOf(data: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= data.length) return controller.close();
      controller.enqueue(data.slice(at, at += sizes[turn++ % sizes.length]!));
    },
  });
}

const open = () => createDrop(hub.db, hub.organization.id, 1, INPUT, hub.clock.ms);

async function readBack(dropId: number): Promise<Uint8Array> {
  const drop = await findDrop(hub.db, hub.organization.id, dropId);
  return new Uint8Array(await new Response(openDrop(hub.db, drop!).open()).arrayBuffer());
}

test("a drop reads back as it was received, however its bytes arrived, in chunks of at most 1 MiB", {
  skip: onlyInCheckOnDeno,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 2_500_000 }),
      fc.array(fc.integer({ min: 1, max: 1_500_000 }), { minLength: 1, maxLength: 5 }),
      async (length, sizes) => {
        const data = new Uint8Array(length).map((_, index) => (index * 31 + (index >> 9)) & 255);
        const rough = sizes.map((size) => Math.max(size, 10_000));
        const dropId = await open();
        const said = await writeContent(hub.db, dropId, streamOf(data, rough));
        const sha256 = createHash("sha256").update(data).digest("hex");
        assert.deepEqual(said, { bytes: length, sha256 });
        assert.ok(Buffer.from(await readBack(dropId)).equals(Buffer.from(data)));
        assert.deepEqual(await digestContent(hub.db, dropId), said);
        const chunks = await hub.db.orm.select({ bytes: dropChunks.bytes }).from(dropChunks).where(
          eq(dropChunks.dropId, dropId),
        );
        assert.ok(chunks.every(({ bytes }) => bytes > 0 && bytes <= 1024 * 1024));
      },
    ),
    { numRuns: 15 },
  );
});

test("parts sent in any order, some of them twice, are one content in the order of their numbers", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ maxLength: 50 }), { minLength: 1, maxLength: 8 }).chain((parts) =>
        fc.tuple(
          fc.constant(parts),
          fc.shuffledSubarray(parts.map((_, index) => index), { minLength: parts.length }),
          fc.array(fc.nat(parts.length - 1), { maxLength: 3 }),
        )
      ),
      async ([parts, order, again]) => {
        const dropId = await open();
        const put = (index: number, text: string) =>
          writePart(hub.db, dropId, index + 1, streamOf(new TextEncoder().encode(text), [7]));
        for (const index of again) await put(index, "a part that is sent again");
        for (const index of order) assert.ok(await put(index, parts[index]!));
        const whole = new TextEncoder().encode(parts.join(""));
        assert.deepEqual(await readBack(dropId), whole);
        assert.equal((await listParts(hub.db, dropId)).bytes, whole.length);
      },
    ),
    { numRuns: 25 },
  );
});

test("a reader that stops early asks for no more than it read", async () => {
  const dropId = await open();
  await writeContent(hub.db, dropId, streamOf(new Uint8Array(3 * 1024 * 1024), [100_000]));
  const drop = await findDrop(hub.db, hub.organization.id, dropId);
  const reader = openDrop(hub.db, drop!).open().getReader();
  assert.ok((await reader.read()).value!.length <= 1024 * 1024);
  await reader.cancel();
  assert.equal((await reader.read()).done, true);
});
