/** On Workers the cron trigger erases leavers and deletes history in D1. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMasterKeyText } from "../../src/security/secrets.ts";
import { createTokenText } from "../../src/security/token.ts";
import worker from "../../src/worker.ts";
import { fakeD1 } from "../support/d1.ts";
import { onWorkers } from "../support/on-workers.ts";
import { onlyInCheck } from "../support/rounds.ts";

const DAY_MS = 86_400_000;

test(
  "leavers are erased and old history is deleted in D1 by the cron trigger",
  { skip: onlyInCheck },
  () =>
    onWorkers(async ({ ask, count, database }) => {
      const token = createTokenText();
      const variables = { MUSTER_ADMIN_TOKEN: token, MUSTER_MASTER_KEY: createMasterKeyText() };
      const call = async (path: string, method: string, body: string, type = "application/json") => {
        const headers = { authorization: `Bearer ${token}`, "content-type": type, prefer: "wait=30" };
        const answer = await ask(path, variables, { method, headers, body });
        assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`);
        return await answer.json();
      };
      const cron = async () => {
        const behind: Promise<unknown>[] = [];
        const context = { waitUntil: (promise: Promise<unknown>) => void behind.push(promise) };
        await worker.scheduled({}, { DB: fakeD1(database), ...variables }, context);
        await Promise.all(behind);
      };
      const file = (status: string) =>
        [
          "employee_id,email,first_name,last_name,is_active",
          ...["E1", "E2", "E3"].map((id) => `${id},${id}@acme.test,First,Last,${id === "E3" ? "yes" : status}`),
          "",
        ].join("\n");
      await call("/v1/connections/csv", "PATCH", JSON.stringify({ limits: { deactivate: { enabled: false } } }));
      await call("/v1/connections/csv/drops?name=a.csv", "POST", file("yes"), "text/csv");
      await call("/v1/connections/csv/drops?name=a.csv", "POST", file("no"), "text/csv");
      const retention = { leavers_months: 3, history_months: 3 };
      await call("/v1/organization", "PATCH", JSON.stringify({ retention }));
      await cron();
      assert.equal(count("erasures"), 0);

      // As if all of it had been long ago, and the last pass yesterday.
      database.exec(`update leavers set since = since - ${200 * DAY_MS};
      update runs set finished_at = finished_at - ${200 * DAY_MS};
      update change_pages set applied_at = applied_at - ${200 * DAY_MS};
      update organizations set retention_at = retention_at - ${DAY_MS}`);
      await cron();
      await cron();
      assert.equal(count("erasures"), 2);
      assert.equal(count("leavers"), 0);
      // What is left is the erasures themselves.
      assert.equal(count("change_pages where run_id is not null"), 0);
      assert.equal(count("audit_entries where action = 'user.erased' and actor_kind = 'retention'"), 2);
    }),
);
