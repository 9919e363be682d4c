/** A hub that is served, pointed at a fake BambooHR: the whole story of whoever sets it up, and of a key that goes bad. */
import type { ParsedMail } from "mailparser";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createTokenText } from "../../src/security/token.ts";
import { hire, hireCrowd } from "../support/bamboohr/company.ts";
import { startBambooHR } from "../support/bamboohr/server.ts";
import { AUTHORITY } from "../support/bamboohr/tls.ts";
import { fetch } from "../support/checked.ts";
import { addressesIn, startMailServer } from "../support/mail-server.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";

const skip = "Deno" in globalThis && existsSync("/proc/self/status") ? onlyInCheckOnDeno : "on Deno and Linux alone";

test("fifty thousand people take hardly more memory than ten thousand", { skip }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const fake = await startBambooHR({ tls: true });
  const authority = join(dir, "authority.pem");
  await writeFile(authority, AUTHORITY);
  const token = createTokenText();
  const hub = await startServing({
    MUSTER_DATA_DIR: join(dir, "data"),
    MUSTER_ADMIN_TOKEN: token,
    MUSTER_ALLOW_HOSTS: fake.allowHosts,
    NODE_EXTRA_CA_CERTS: authority,
  });
  // deno-lint-ignore no-explicit-any
  async function post(path: string, json: unknown): Promise<any> {
    const answer = await fetch(`${hub.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", prefer: "wait=60" },
      body: JSON.stringify(json),
    });
    assert.ok(answer.ok, `${path}: ${await answer.clone().text()}`);
    return await answer.json();
  }
  /** Syncs; gives how many were created, and the most bytes of memory that the hub has ever held. */
  async function sync(): Promise<{ created: number; peak: number }> {
    const { run } = await post("/v1/connections/bamboohr/runs", {});
    assert.equal(run.status, "succeeded", JSON.stringify(run));
    const status = await readFile(`/proc/${hub.process.pid}/status`, "utf8");
    return { created: run.counts.created, peak: Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)![1]) * 1024 };
  }
  try {
    await post("/v1/connections", {
      connector: "bamboohr",
      name: "BambooHR",
      settings: { subdomain: "acme", source: "employees" },
      secrets: { api_key: fake.key },
      limits: { create: { enabled: false } },
    });
    hireCrowd(fake.company, 10_000);
    const few = await sync();
    hireCrowd(fake.company, 50_000);
    const many = await sync();
    assert.deepEqual([few.created, many.created], [10_000, 40_000]);
    assert.ok(many.peak < few.peak * 1.3, `${few.peak} bytes for 10,000 and ${many.peak} for 50,000`);
  } finally {
    await hub.stop();
    await fake.close();
    await rm(dir, { recursive: true, force: true });
  }
});

test(
  "check, choose statuses, sync, correct what failed, three failures, error, recovery",
  { skip: onlyInCheckOnDeno },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-"));
    const fake = await startBambooHR({ tls: true });
    const authority = join(dir, "authority.pem");
    await writeFile(authority, AUTHORITY);
    const token = createTokenText();
    const server = await startMailServer();
    const hub = await startServing({
      MUSTER_DATA_DIR: join(dir, "data"),
      MUSTER_ADMIN_TOKEN: token,
      MUSTER_ALLOW_HOSTS: fake.allowHosts,
      NODE_EXTRA_CA_CERTS: authority,
      SMTP_URL: `smtp://127.0.0.1:${server.port}`,
      MAIL_FROM: "Muster <muster@example.com>",
    });
    /** Of the mails that have come, once there are as many. */
    async function mailed(count: number): Promise<ParsedMail[]> {
      const until = Date.now() + 30_000;
      while (server.received.length < count && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return server.received.map(({ mail }) => mail);
    }
    // deno-lint-ignore no-explicit-any
    async function ask(method: string, path: string, json?: unknown): Promise<any> {
      const answer = await fetch(`${hub.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", prefer: "wait=30" },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
      assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
      return (answer.headers.get("content-type") ?? "").includes("json") ? await answer.json() : await answer.text();
    }
    const sync = async () => (await ask("POST", "/v1/connections/bamboohr/runs", {})).run;
    try {
      await ask("PATCH", "/v1/organization", { name: "Acme", technical_contact: "hr@acme.test" });
      hireCrowd(fake.company, 120);
      hire(fake.company, 201, { employmentStatus: "Contractor" });
      const nameless = hire(fake.company, 202, { workEmail: null });
      const made = await ask("POST", "/v1/connections", {
        connector: "bamboohr",
        name: "BambooHR",
        settings: { subdomain: "https://acme.bamboohr.com/" },
        secrets: { api_key: fake.key },
      });
      assert.deepEqual(made.schedule, { cron: "0 3 * * *", timezone: "America/Los_Angeles" });
      assert.equal(JSON.stringify(made).includes(fake.key), false);

      const check = await ask("POST", "/v1/connections/bamboohr/check");
      assert.equal(check.ok, true, check.detail);
      assert.deepEqual([check.found.employees, check.found.missing], [122, []]);
      assert.ok(check.found.statuses.includes("Full-Time"));

      await ask("PATCH", "/v1/connections/bamboohr", { policy: { only_statuses: ["Full-Time"] } });
      const first = await sync();
      assert.deepEqual([first.status, first.counts.created, first.counts.failed, first.counts.skipped], [
        "partial",
        120,
        1,
        1,
      ]);
      const report = await ask("GET", `/v1/runs/${first.id}/failures.csv`);
      assert.match(report, /Last202.*required_field_missing,workEmail,"""workEmail"" is missing/);
      nameless.workEmail = "found@acme.test";
      const corrected = await sync();
      assert.deepEqual([corrected.status, corrected.counts.created, corrected.counts.unchanged], ["succeeded", 1, 120]);

      fake.company.keys.delete(fake.key);
      for (let n = 1; n <= 3; n++) {
        const failed = await sync();
        assert.deepEqual([failed.status, failed.error.code], ["failed", "source_refused"]);
      }
      const broken = await ask("GET", "/v1/connections/bamboohr");
      assert.deepEqual([broken.state, broken.failures_in_a_row], ["error", 3]);
      assert.match(broken.last_error.message, /API key not provided or invalid/);
      const [error, ...early] = await mailed(1);
      assert.deepEqual(early, [], "what somebody asked for is theirs to see, but that the connection is in error");
      assert.equal(addressesIn(error!.to), "hr@acme.test");
      assert.equal(error!.subject, "BambooHR: has failed 3 times in a row");
      assert.match(error!.text!, /API key not provided or invalid/);

      fake.company.keys.set(fake.key, fake.access);
      assert.equal((await sync()).status, "succeeded");
      assert.equal((await ask("GET", "/v1/connections/bamboohr")).state, "ok");
      const [, recovered, ...more] = await mailed(2);
      assert.equal(recovered!.subject, "BambooHR: works again");
      assert.match(recovered!.text!, /After 3 failures in a row/);
      assert.deepEqual(more, []);
      assert.equal(server.received.some(({ raw }) => raw.includes(fake.key)), false);
      const types = (await ask("GET", "/v1/events?limit=200")).data.map(({ type }: { type: string }) => type);
      assert.ok(types.includes("connection.error") && types.includes("connection.recovered"), types.join());
      const { out, err } = hub.said();
      assert.equal((out + err).includes(fake.key), false);
      assert.doesNotMatch(out + err, /p\d+@acme\.test|Last\d+/);
    } finally {
      await hub.stop();
      await server.close();
      await fake.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
