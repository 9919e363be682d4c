/** A hub without room: uploads are refused as such, nothing of them stays, and they are accepted once there is room. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import { createAsk, createTestHub, createTestToken } from "../support/hub.ts";
import { leaveNone, leaveRoom } from "../support/room.ts";

test("without room every kind of upload answers 507 and says what to do, and works once there is room", async () => {
  const hub = await createTestHub({ registry: createRegistry() });
  try {
    const ask = createAsk(hub, await createTestToken(hub));
    const text = "email,first_name,last_name\nana@example.com,Ana,Lopez\n";
    const csv = { body: text, headers: { "content-type": "text/csv" } };
    const open = async () =>
      (await (await ask("/v1/connections/csv/uploads", { json: { name: "a.csv" } })).json()).upload;
    const part = { method: "PUT", body: text, headers: { "content-type": "application/octet-stream" } };
    const [begun, filled] = [await open(), await open()];
    assert.equal((await ask(`/v1/uploads/${filled.id}/parts/1`, part)).status, 204);
    const ways: [string, string, Parameters<typeof ask>[1]][] = [
      ["a drop", "/v1/connections/csv/drops?name=a.csv", csv],
      ["an upload", "/v1/connections/csv/uploads", { json: { name: "a.csv" } }],
      ["a part", `/v1/uploads/${begun.id}/parts/1`, part],
      ["a seal", `/v1/uploads/${filled.id}/seal`, { json: { bytes: text.length } }],
      ["records", "/v1/users/import", {
        json: { users: [{ email: "bo@example.com" }] },
        headers: { prefer: "wait=0" },
      }],
    ];
    const drops = () => hub.db.rows(sql`select id, sha256, sealed_at from drops order by id`);
    const runs = () => hub.db.rows(sql`select id from runs`);
    const before = [await drops(), await runs()];
    for (const [what, path, how] of ways) {
      await leaveNone(hub);
      const answer = await ask(path, how);
      const { code, detail } = await answer.json();
      assert.deepEqual([answer.status, code], [507, "storage_full"], what);
      assert.match(
        detail,
        /disk is full, and nothing was stored; retry once its operator has freed space/,
      );
    }
    const page = await (await ask("/errors/storage_full")).text();
    assert.match(page, /Ask the operator of the hub to free disk space/);
    assert.ok(
      hub.lines.some(({ event, details }) => event === "request_failed" && /SQLITE_FULL/.test(`${details.error}`)),
    );
    await leaveRoom(hub, null);
    // What could not even be closed again is closed by the next seal.
    assert.deepEqual([(await drops()).map(([id, sha256]) => [id, sha256]), await runs()], [
      (before[0] as unknown[][]).map(([id, sha256]) => [id, sha256]),
      before[1],
    ]);
    for (const [what, path, how] of ways) {
      const answer = await ask(path, how);
      assert.ok([200, 201, 202, 204].includes(answer.status), `${what}: ${answer.status} ${await answer.text()}`);
    }
  } finally {
    hub.close();
  }
});
