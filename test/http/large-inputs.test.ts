/** Inputs that are larger than what a libSQL server takes with one request: they come in whole, in requests below it. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import { openDrop } from "../../src/store/runs/drop-content.ts";
import { findDrop } from "../../src/store/runs/drops.ts";
import { joinDrop } from "../../src/store/runs/joined-drops.ts";
import { bridging, isHeld } from "../support/bridging.ts";
import { createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";
import type { Received } from "../support/libsql-server.ts";
import { onlyInCheckOnDeno, rounds } from "../support/rounds.ts";

const MIB = 1024 * 1024;
/** Which gzip cannot make smaller. */
const CONTENT = randomBytes(5 * MIB);
const PATH = "/v1/connections/csv";
/** Random bytes as text in base64 take long on the way. */
const skip = onlyInCheckOnDeno;

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

async function onServer(work: (hub: TestHub, ask: ReturnType<typeof createAsk>) => Promise<void>): Promise<void> {
  const hub = await createTestHub({ onServer: true, registry: createRegistry() });
  try {
    const ask = createAsk(hub, await createTestToken(hub));
    await work(hub, ask);
    const largest = Math.max(...hub.server!.received.map(({ bytes }) => bytes));
    assert.ok(largest < MIB, `a request of ${largest} bytes`);
    assert.deepEqual(await hub.db.rows(sql`select 1 from drop_chunks where part < 1`), [], "pieces are left");
  } finally {
    hub.close();
  }
}

/** What readers of the latest sealed drop get. */
async function latest({ db, organization }: TestHub): Promise<{ id: number; sha256: string }> {
  const [[id]] = await db.rows<[number]>(sql`select max(id) from drops where sha256 is not null`) as [[number]];
  const drop = await findDrop(db, organization.id, id);
  return { id, sha256: sha256(new Uint8Array(await new Response(openDrop(db, drop!).open()).arrayBuffer())) };
}

async function openUpload(ask: ReturnType<typeof createAsk>): Promise<string> {
  const answer = await ask(`${PATH}/uploads`, { json: { name: "people.csv" } });
  assert.equal(answer.status, 201);
  return `/v1/uploads/${(await answer.json()).upload.id}`;
}

const put = (ask: ReturnType<typeof createAsk>, path: string, bytes: Uint8Array<ArrayBuffer>) =>
  ask(path, { method: "PUT", body: bytes });

test("a drop of 5 MiB is stored on a server that takes 1 MiB at once", { skip }, () =>
  onServer(async (hub, ask) => {
    const headers = { "content-type": "text/csv" };
    assert.equal((await ask(`${PATH}/drops?name=people.csv`, { body: CONTENT, headers })).status, 202);
    assert.equal((await latest(hub)).sha256, sha256(CONTENT));
  }));

test(
  "so are the parts of an upload, whatever their size, also those that are sent again",
  { skip },
  () =>
    onServer(async (hub, ask) => {
      const upload = await openUpload(ask);
      const [first, second] = [CONTENT.subarray(0, 4 * MIB), CONTENT.subarray(4 * MIB)];
      for (const [n, bytes] of [[2, first], [1, first], [2, second]] as const) {
        assert.equal((await put(ask, `${upload}/parts/${n}`, bytes)).status, 204);
      }
      assert.equal((await ask(`${upload}/seal`, { json: { sha256: sha256(CONTENT) } })).status, 202);
      assert.equal((await latest(hub)).sha256, sha256(CONTENT));
    }),
);

test("a part of which not all was stored is not there, and what was there before it stays", () =>
  onServer(async (hub, ask) => {
    const upload = await openUpload(ask), before = CONTENT.subarray(0, 1000);
    assert.equal((await put(ask, `${upload}/parts/1`, before)).status, 204);
    const isPiece = ({ texts }: Received) => texts.some((text) => /insert into "drop_chunks"/.test(text));
    // Three pieces, of which the last one comes with the batch that takes the others.
    const part = CONTENT.subarray(0, 1.2 * MIB), last = 2;
    for (const fault of (["lost", "dropped", 502] as const).slice(0, rounds(3, 1))) {
      for (const nth of [1, last]) {
        let seen = 0;
        const end = hub.server!.fail(fault, { when: (each) => isPiece(each) && seen++ === nth });
        const { status } = await put(ask, `${upload}/parts/1`, part);
        end();
        assert.equal(status, 503, `${fault} at piece ${nth}`);
        // The batch was made, and only its answer was lost.
        if (fault === "lost" && nth === last) assert.equal((await put(ask, `${upload}/parts/1`, before)).status, 204);
      }
    }
    assert.equal((await ask(`${upload}/seal`, { json: { sha256: sha256(before) } })).status, 202);
    assert.equal((await latest(hub)).sha256, sha256(before));
  }));

test("a file of 5 MiB comes over the bridge to such a server", { skip }, () =>
  onServer(async (hub, ask) => {
    const bridge = await bridging(hub);
    try {
      const json = { connector: "sftp-drop", name: "drops", slug: "drops", policy: { coverage: "diff" } };
      const { id } = await (await ask("/v1/connections", { json })).json();
      await isHeld(bridge, id);
      const text = `email,note\nana@example.com,${CONTENT.subarray(0, 2.5 * MIB).toString("hex")}\n`;
      bridge.server(id).drop("/incoming/people.csv", text, 1_700_000_000_000);
      await bridge.poller.visit(id);
      assert.equal((await latest(hub)).sha256, sha256(new TextEncoder().encode(text)));
    } finally {
      await bridge.kill();
    }
  }));

test("records that are put together for a held run are stored there, too, in one batch with what goes with them", {
  skip,
}, () =>
  onServer(async (hub, ask) => {
    const { db, organization } = hub;
    const headers = { "content-type": "text/csv" };
    await ask(`${PATH}/drops?name=people.csv`, { body: "email\nana@example.com\n", headers });
    const join = async (bytes: Uint8Array) => {
      const before = await findDrop(db, organization.id, (await latest(hub)).id);
      const times = { now: hub.now(), expiresAt: hub.now() + 1 };
      return await joinDrop(db, before!, { bytes, type: "application/json" }, times, () => []);
    };
    // What a run that was given up had stored.
    await join(CONTENT.subarray(MIB));
    const { id, statements } = await join(CONTENT);
    assert.notEqual((await latest(hub)).id, id, "not before the batch");
    await db.write(statements);
    assert.deepEqual(await latest(hub), { id, sha256: sha256(CONTENT) });
    const again = await join(CONTENT.subarray(1));
    await db.write(again.statements);
    assert.equal((await latest(hub)).sha256, sha256(CONTENT.subarray(1)));
    assert.equal(await findDrop(db, organization.id, id), null, "what was put together before goes");
  }));
