/** Every request of a file's way to the hub and back, broken off before it arrives and after it has been carried out. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runNext } from "../../src/runs/next.ts";
import { type Bridging, bridging, type BridgingOptions, isHeld } from "../support/bridging.ts";
import { createAsk, createTestHub, createTestToken } from "../support/hub.ts";
import { onlyInCheck } from "../support/rounds.ts";

/** Nothing in it depends on the runtime, and it takes its time. */
const skip = "Deno" in globalThis ? onlyInCheck : "every request is broken off once on Deno, and not again on Node";

/** What a bridge asks again and again anyway. */
const isRoutine = (path: string) => /\/(hello|connections|health)$/.test(path);
const FILE = "email,first_name,last_name,employee_id\nana@example.com,Ana,Lopez,'001\ndot@,Dot,Frey,'002\n";

/** What becomes of a file on its server once it is taken. */
type After = "move" | "delete" | "leave";
const AFTER: readonly After[] = ["move", "delete", "leave"];

/**
 * Breaks one request after the other, each of a connection of its own, until a way has come to its end unbroken; gives how
 * many were. `dies`: the bridge with it, and another is started; else it is the hub that was away for a moment.
 */
async function breakEach(after: After, dies: boolean): Promise<number> {
  const hub = await createTestHub({ registry: createRegistry() });
  const admin = createAsk(hub, await createTestToken(hub));
  const dir = mkdtempSync(join(tmpdir(), "muster-broken-"));
  let current: { at: number; when: "before" | "after"; isBroken: boolean; isDead: boolean } | null = null;
  let count = 0;
  const line: BridgingOptions["line"] = async ({ path }, send) => {
    const broken = current;
    if (broken === null || isRoutine(path)) {
      if (broken?.isDead) throw new TypeError("killed");
      return await send();
    }
    if (broken.isDead) throw new TypeError("killed");
    if (broken.isBroken || count++ !== broken.at) return await send();
    broken.isBroken = true;
    broken.isDead = dies;
    if (broken.when === "after") await (await send()).body?.cancel();
    throw new TypeError("the line is broken");
  };
  let bridge: Bridging = await bridging(hub, { dir, line, askEveryMs: 20 });
  let breaks = 0;
  try {
    for (let at = 0;; at++) {
      let wasBroken = false;
      for (const when of ["before", "after"] as const) {
        const name = `${after}-${at}-${when}`;
        const remote = after === "leave" ? { mode: "remote", host: "sftp.example.com", username: "muster" } : {};
        const answer = await admin("/v1/connections", {
          json: { connector: "sftp-drop", name, settings: { after, ...remote } },
        });
        const { id } = await answer.json();
        await isHeld(bridge, id);
        const server = bridge.server(id);
        server.drop("/incoming/users.csv", FILE.replaceAll("example", name));
        count = 0;
        current = { at, when, isBroken: false, isDead: false };
        const isDone = async () =>
          (await hub.db.rows(sql`select 1 from bridge_files where name = 'users.csv' and returned_at is not null
            and connection_id = (select max(id) from connections)`)).length > 0;
        for (
          let tries = 0;
          !await isDone() || server.names("/incoming").length > (after === "leave" ? 1 : 0);
          tries++
        ) {
          assert.ok(tries < 20, `${name} does not come to its end`);
          await bridge.poller.visit(id).catch(() => {});
          while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
          for (let i = 0; i < 20 && !current.isDead && !await isDone(); i++) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            // A visit that failed is made again after a minute.
            hub.clock.ms += 5_000;
          }
          if (!current.isDead) continue;
          current.isDead = false;
          bridge = await bridge.again();
          await isHeld(bridge, id);
        }
        wasBroken ||= current.isBroken;
        if (current.isBroken) breaks++;
        current = null;
        const { data } = await (await admin(`/v1/runs?connection=${id}`)).json();
        assert.deepEqual(data.map(({ status }: { status: string }) => status), ["partial"], `${name}: taken once`);
        const content = await (await admin(`/v1/drops/${data[0].drop.id}/content`)).text();
        assert.equal(content, FILE.replaceAll("example", name), `${name}: and whole`);
        assert.deepEqual(
          [server.names("/.bak").length, server.names("/reports").length],
          { move: [1, 1], delete: [0, 1], leave: [0, 0] }[after],
          `${name}: ${[...server.files.keys()]}`,
        );
        // A server of others has its reports in the folder that is visited.
        const reports = after === "leave" ? "/incoming/reports" : "/reports";
        assert.match(server.read(`${reports}/users.failures.csv`), /dot@/);
      }
      if (!wasBroken) return breaks;
    }
  } finally {
    current = null;
    await bridge.kill();
    rmSync(dir, { recursive: true, force: true });
    hub.close();
  }
}

test("whichever request a hub dies in, no file is lost, none is taken twice, none in part", { skip }, async () => {
  let breaks = 0;
  for (const after of AFTER) breaks += await breakEach(after, false);
  assert.ok(breaks >= 10 * AFTER.length, String(breaks));
});

test("whichever request a bridge dies in, no file is lost, none is taken twice, none in part", { skip }, async () => {
  let breaks = 0;
  for (const after of AFTER) breaks += await breakEach(after, true);
  assert.ok(breaks >= 10 * AFTER.length, String(breaks));
});
