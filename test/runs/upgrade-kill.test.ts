/** An upgrade and its way back are one batch each: whatever statement fails or is never reached, nothing of it is left. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { sql } from "drizzle-orm";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createAsk, createTestToken, type TestHub } from "../support/hub.ts";
import { until } from "../support/bridging.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { upgrading } from "../support/upgrading.ts";

const CHILD = fileURLToPath(new URL("upgrade-kill-child.ts", import.meta.url));
const STEPS = [{ mode: "apply", to: "2.0.0" }, { mode: "back" }] as const;

/** All that an upgrade writes. */
function stored({ db }: TestHub): Promise<unknown> {
  const tables = ["connections", "connection_secrets", "connection_clocks", "connection_upgrades", "audit_entries"];
  return Promise.all(tables.map((table) => db.rows(sql`select * from ${sql.identifier(table)} order by 1, 2`)));
}

test("an upgrade and its way back leave nothing of themselves behind, whichever of their statements fails", () =>
  upgrading(async ({ hub, fetchNow, upgrade }) => {
    await fetchNow();
    const token = await createTestToken(hub);
    for (const json of STEPS) {
      const before = await stored(hub);
      let count = Infinity;
      for (let at = 0; at <= count; at++) {
        const write: TestHub["db"]["write"] = (statements) => {
          count = statements.length;
          const failing = hub.db.run(sql`update connections set settings = json('{')`);
          return hub.db.write([...statements.slice(0, at), failing, ...statements.slice(at)]);
        };
        const ask = createAsk({ ...hub, db: { ...hub.db, write } }, token);
        assert.equal((await ask("/v1/connections/hr/upgrade", { json })).status, 500);
        assert.deepEqual(await stored(hub), before, `${json.mode}, before statement ${at} of ${count}`);
      }
      assert.ok(count >= 7, `${count} statements`);
      assert.equal((await upgrade(json)).status, 200);
      assert.notDeepEqual(await stored(hub), before);
    }
  }));

/** Starts a process that upgrades the connection of the file, or takes that back, and kills it inside of its batch. */
async function killInside(path: string, at: number): Promise<void> {
  const deno = "Deno" in globalThis ? ["run", "-A", "--no-check"] : [];
  const child = spawn(process.execPath, [...deno, CHILD, path, String(at)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<NodeJS.Signals | null>((resolve) => child.on("exit", (_, signal) => resolve(signal)));
  let said = "";
  child.stdout!.on("data", (data) => said += data);
  const probe = new DatabaseSync(path, { timeout: 0 });
  /** Whether somebody writes, who is not done. */
  const isHeld = () => {
    try {
      probe.exec("begin immediate; rollback");
      return false;
    } catch {
      return true;
    }
  };
  try {
    await until("the process is inside of its batch", () => said.includes("writes") && isHeld(), Boolean, 30_000);
    assert.ok(isHeld());
  } finally {
    process.kill(child.pid!, "SIGKILL");
    probe.close();
  }
  assert.equal(await ended, "SIGKILL");
}

test("a process that is killed in the middle of an upgrade, or of its way back, leaves nothing of it behind", {
  skip: onlyInCheckOnDeno,
}, () =>
  upgrading(async ({ hub, fetchNow, upgrade }) => {
    if (hub.server !== undefined) return;
    await fetchNow();
    const [[, , path]] = await hub.db.rows<[number, string, string]>(sql`pragma database_list`) as [
      [number, string, string],
    ];
    for (const json of STEPS) {
      const before = await stored(hub);
      for (const at of [1, 4, 6]) {
        await killInside(path, at);
        assert.deepEqual(await stored(hub), before, `${json.mode}, killed behind ${at} statements`);
      }
      assert.equal((await upgrade(json)).status, 200, "and the next process goes on");
    }
  }));
