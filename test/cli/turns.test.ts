/** Two organizations of one hub that serves: neither waits until the other's runs have ended. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { crowd, HEADER } from "../support/imports.ts";
import { onlyInCheck, rounds } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";

test(
  "a person pushed to one organization is there before a long file of another is",
  { skip: onlyInCheck },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "muster-turns-"));
    const served = await startServing({ MUSTER_DATA_DIR: folder });
    try {
      const token = readFileSync(join(folder, "first-token"), "utf8").trim();
      // deno-lint-ignore no-explicit-any
      const call = async (path: string, organization: string, init: RequestInit = {}): Promise<any> => {
        const answer = await fetch(`${served.url}/v1/${path}`, {
          ...init,
          headers: { authorization: `Bearer ${token}`, "muster-organization": organization, ...init.headers },
        });
        assert.ok(answer.ok, `${path}: ${answer.status}`);
        return await answer.json();
      };
      const json = (value: unknown) => ({
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(value),
      });
      await call("organizations", "default", json({ slug: "second", name: "Second", timezone: "UTC" }));
      const { run } = await call("connections/csv/drops?name=people.csv", "default", {
        method: "POST",
        headers: { "content-type": "text/csv" },
        body: `${[HEADER, ...crowd(rounds(300_000, 20_000))].join("\n")}\n`,
      });
      const begun = async () => (await call(`runs/${run.id}`, "default")).status;
      while (await begun() === "queued") await new Promise((resolve) => setTimeout(resolve, 20));
      const startedAt = performance.now();
      const pushed = await call("users/import", "second", {
        ...json({ users: [{ employee_id: "1", email: "ana@acme.test", first_name: "Ana", last_name: "Ruiz" }] }),
      });
      t.diagnostic(`${Math.round(performance.now() - startedAt)} ms`);
      assert.equal(pushed.run.status, "succeeded");
      assert.ok(["planning", "applying"].includes(await begun()), "the long run goes on");
      while (["planning", "applying"].includes(await begun())) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await begun(), "succeeded");
    } finally {
      await served.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
