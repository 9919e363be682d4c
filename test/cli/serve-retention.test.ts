/** A hub that is killed while it erases leavers goes on when it is started again, and erases each of them once. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { createTokenText } from "../../src/security/token.ts";
import { until } from "../support/bridging.ts";
import { createClient } from "../support/erased.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";

const PEOPLE = 40, LEAVERS = 9, DAY_MS = 86_400_000;
/** The lease of the killed process lasts half a minute, and the hub looks once a minute. */
const WITHIN_MS = 300_000;

const file = (leavers: number) =>
  [
    "employee_id,email,first_name,last_name,is_active",
    ...Array.from(
      { length: PEOPLE },
      (_, i) => `E${i},p${i}@acme.test,First${i},Last${i},${i < leavers ? "no" : "yes"}`,
    ),
    "",
  ].join("\n");

test("a hub that is killed while it erases leavers erases each of them once", { skip: onlyInCheckOnDeno }, async () => {
  const data = mkdtempSync(join(tmpdir(), "muster-"));
  const env = { MUSTER_DATA_DIR: data, MUSTER_ADMIN_TOKEN: createTokenText() };
  const path = join(data, "muster.db");
  const ask = (hub: { url: string }) => createClient(hub.url, env.MUSTER_ADMIN_TOKEN);
  const count = (query: string) => {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      return Number(database.prepare(`select count(*) as n from ${query}`).get()!.n);
    } finally {
      database.close();
    }
  };
  let hub = await startServing(env);
  try {
    const first = ask(hub);
    await first("/v1/connections/csv", { method: "PATCH", json: { limits: { deactivate: { enabled: false } } } });
    for (const leavers of [0, LEAVERS]) {
      await first("/v1/connections/csv/drops?name=a.csv", { body: file(leavers), type: "text/csv" });
    }
    await first("/v1/organization", { method: "PATCH", json: { retention: { leavers_months: 3, max_at_once: 100 } } });
    assert.equal(await hub.stop(), 0);
    const database = new DatabaseSync(path);
    // As if they had left long ago, and the last pass had been yesterday.
    const now = Date.now();
    database.exec(`update leavers set since = ${now - 200 * DAY_MS};
      update organizations set retention_at = ${now - DAY_MS}`);
    database.close();

    hub = await startServing(env);
    await until("somebody is erased", () => count("erasures"), (n) => n > 0, WITHIN_MS);
    await hub.stop("SIGKILL");
    hub = await startServing(env);
    await until("all are erased", () => count("erasures"), (n) => n === LEAVERS, WITHIN_MS);
    const { data: entries } = await ask(hub)("/v1/audit?action=user.erased&limit=200");
    assert.equal(entries.length, LEAVERS);
    assert.equal(new Set(entries.map(({ subjects }: { subjects: string[] }) => subjects[0])).size, LEAVERS);
    assert.equal((await ask(hub)("/v1/users?status=active&limit=200")).data.length, PEOPLE - LEAVERS);
    assert.equal(await hub.stop(), 0);
  } finally {
    await hub.stop("SIGKILL");
    rmSync(data, { recursive: true, force: true });
  }
});
