/** A hub whose disk fills up during a hand-over: the file stays where it is, the trouble is reported, and the file is taken once. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { Trouble } from "../../src/bridge/contract.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runNext } from "../../src/runs/next.ts";
import { bridging, isHeld } from "../support/bridging.ts";
import { createAsk, createTestHub, createTestToken } from "../support/hub.ts";
import { leaveNone, leaveRoom } from "../support/room.ts";

test("a hub that is full at any step of a hand-over keeps nothing of it, says so, and takes the file once there is room", async () => {
  const hub = await createTestHub({ registry: createRegistry() });
  const admin = createAsk(hub, await createTestToken(hub));
  let fullAt: RegExp | null = null;
  const bridge = await bridging(hub, {
    async line({ method, path }, send) {
      if (fullAt?.test(`${method} ${path}`)) {
        fullAt = null;
        await leaveNone(hub);
      }
      return await send();
    },
  });
  try {
    const made = await admin("/v1/connections", {
      json: { connector: "sftp-drop", name: "drops", slug: "drops", policy: { coverage: "diff" } },
    });
    const { id } = await made.json();
    await isHeld(bridge, id);
    const server = bridge.server(id);
    const noise = randomBytes(25_000).toString("hex");
    const steps = [/POST .*\/uploads$/, /PUT .*\/parts\/1$/, /PUT .*\/parts\/2$/, /POST .*\/seal$/];
    for (const [i, step] of steps.entries()) {
      const text = `email,first_name,last_name,note\np${i}@example.com,P,Q,${noise}\n${"\n".repeat(4_400_000)}`;
      server.drop("/incoming/users.csv", text, 1_700_000_000_000 + i * 1000);
      fullAt = step;
      const trouble = await bridge.poller.visit(id).then(() => null, (error) => error.trouble as Trouble);
      const core = bridge.poller.hub;
      core.reportHealth(core.connections().find((each) => each.id === id)!, trouble);
      assert.equal(trouble?.code, "hub_full", String(step));
      assert.match(trouble.message, /files wait where they are, and are taken once its operator has made room/);
      assert.deepEqual([server.names("/incoming"), server.names("/.bak").length], [["users.csv"], i]);
      const { sftp } = await (await admin("/v1/connections/drops")).json();
      assert.equal(sftp.trouble?.code, "hub_full");

      await leaveRoom(hub, null);
      hub.clock.ms += 1000;
      await bridge.poller.visit(id);
      assert.deepEqual([server.names("/incoming"), server.names("/.bak").length], [[], i + 1]);
      while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
      const { data } = await (await admin("/v1/runs?connection=drops")).json();
      assert.deepEqual(data.map(({ status }: { status: string }) => status), Array(i + 1).fill("succeeded"));
    }
    // What was begun and could not even be given up goes with its time.
    const begun = await hub.db.rows(sql`select id from drops where sha256 is null`);
    assert.ok(begun.length <= 2 * steps.length, `${begun.length} are left`);
  } finally {
    await bridge.kill();
    hub.close();
  }
});
