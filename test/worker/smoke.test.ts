/** The hub under Cloudflare's own runtime on this machine, with D1 as Workers have it. */
import assert from "node:assert/strict";
import test from "node:test";
import { createMessage, encrypt, enums, readKey } from "openpgp";
import { Webhook } from "standardwebhooks";
import { createTokenText } from "../../src/security/token.ts";
import { startReceiver } from "../support/receiver.ts";
import { onDeno, onWorkerd } from "../support/workerd.ts";
import { readAll } from "../support/workbook-parts.ts";

test("the hub runs on Workers with D1: 200 rows are imported, the bad ones come back, webhooks go out", {
  skip: onDeno,
}, async () => {
  const token = createTokenText();
  const receiver = await startReceiver();
  try {
    await onWorkerd({ MUSTER_ADMIN_TOKEN: token, MUSTER_ALLOW_HOSTS: "127.0.0.1" }, async ({ worker, call }) => {
      assert.equal((await worker.fetch("/healthz")).status, 200);
      assert.equal((await worker.fetch("/v1/organization")).status, 401);
      assert.equal((await call("/openapi.json")).status, 200);
      assert.match(await (await call("/docs/viewer.js")).text(), /SwaggerUIBundle/);

      const made = await call("/v1/webhook-endpoints", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ url: receiver.url, event_types: ["run.completed"] }),
      });
      const { secret } = await made.json() as { secret: string };

      const rows = Array.from({ length: 200 }, (_, i) => {
        const email = i % 50 === 49 ? "nowhere@" : `person${i}@example.com`;
        return `${1000 + i},${email},Person,Number${i},Department ${i % 7},${i === 0 ? "" : 1000}\n`;
      });
      const people = "employee_id,email,first_name,last_name,department_name,manager_id\n" + rows.join("");
      const handedIn = await call("/v1/connections/csv/drops?name=people.csv", {
        method: "POST",
        headers: { "content-type": "text/csv", prefer: "wait=60" },
        body: people,
      });
      const { run } = await handedIn.json() as { run: { id: string; status: string; counts: Record<string, number> } };
      assert.equal(handedIn.status, 200, JSON.stringify(run));
      assert.equal(run.status, "partial", JSON.stringify(run));
      assert.deepEqual([run.counts.read, run.counts.created, run.counts.failed], [200, 196, 4]);
      assert.equal(run.counts.departments_created, 7);

      for (const file of ["users.xlsx", "templates/users.xlsx", `runs/${run.id}/failures.xlsx`]) {
        const bytes = new Uint8Array(await (await call(`/v1/${file}`)).arrayBuffer());
        assert.ok(readAll(bytes).length > 1, file);
      }
      const report = await (await call(`/v1/runs/${run.id}/failures.csv`)).text();
      const lines = report.trim().split("\r\n");
      assert.equal(lines.length, 5);
      assert.match(lines[1]!, /^1049,nowhere@,Person,Number49,Department 0,1000,error,email_invalid,email,/);

      const again = await call("/v1/connections/csv/drops?name=corrected.csv", {
        method: "POST",
        headers: { "content-type": "text/csv", prefer: "wait=60" },
        body: lines.map((line, i) =>
          i === 0 ? line : line.replace("nowhere@", `corrected${i}@example.com`)
        ).join("\r\n") +
          "\r\n",
      });
      const corrected = (await again.json() as { run: { status: string; counts: Record<string, number> } }).run;
      assert.deepEqual([corrected.status, corrected.counts.created], ["succeeded", 4], JSON.stringify(corrected));

      // The index is filled behind the run, by the cron trigger at the latest.
      let found: { data: unknown[] } = { data: [] };
      for (let looks = 0; found.data.length === 0 && looks < 50; looks++) {
        if (looks > 0) assert.equal((await worker.fetch("/__scheduled")).status, 200);
        found = await (await call("/v1/users?q=1001@")).json() as typeof found;
      }
      assert.equal(found.data.length, 1);
      const user = await (await call("/v1/users?employee_id=1001")).json() as {
        data: { manager: { employee_id: string } }[];
      };
      assert.equal(user.data[0]!.manager.employee_id, "1000");

      const making = { method: "POST", headers: { "content-type": "application/json", "idempotency-key": "one" } };
      const body = JSON.stringify({ name: "once", scopes: ["users:read"] });
      const once = await (await call("/v1/tokens", { ...making, body })).json() as { id: string; token: string };
      const twice = await call("/v1/tokens", { ...making, body });
      assert.equal(twice.headers.get("idempotency-replayed"), "true");
      assert.deepEqual(await twice.json(), { ...once, token: null, code: "shown_once" });
      assert.match(twice.headers.get("ratelimit")!, /^"token";r=\d+;t=\d+, "organization";r=\d+;t=\d+$/);
      const figures = await (await call("/metrics")).text();
      assert.match(figures, /^muster_runs_total\{status="partial"\} 1$/m);
      assert.match(figures, /^muster_rows_total\{outcome="created"\} 200$/m);
      assert.match(figures, /^muster_run_apply_duration_seconds_count 2$/m);
      assert.equal((await worker.fetch("/__scheduled")).status, 200);

      await receiver.has(2);
      for (const { body, headers } of receiver.received) new Webhook(secret).verify(body, headers);
      const told = receiver.received.map(({ body }) => JSON.parse(body).data.run.status);
      assert.deepEqual(told.sort(), ["partial", "succeeded"]);

      const audit = await (await call("/v1/audit")).json() as { data: { action: string; hash: string | null }[] };
      assert.deepEqual(audit.data.map(({ action }) => action), [
        "token.created",
        "drop.received",
        "user.exported",
        "drop.received",
        "webhook_endpoint.created",
        "token.created",
        "organization.created",
      ]);
      assert.ok(audit.data.every(({ hash }) => hash !== null));

      const key = await (await call("/v1/connections/csv/pgp-keys", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ type: "ecc" }),
      })).json() as { public_key: string };
      const encrypted = await encrypt({
        message: await createMessage({ text: people }),
        encryptionKeys: await readKey({ armoredKey: key.public_key }),
        config: { preferredCompressionAlgorithm: enums.compression.zlib },
      });
      const closed = await call("/v1/connections/csv/drops?name=people.csv.asc", {
        method: "POST",
        headers: { "content-type": "application/octet-stream", prefer: "wait=60" },
        body: encrypted,
      });
      const opened = (await closed.json() as { run: { status: string; counts: Record<string, number> } }).run;
      assert.deepEqual([opened.status, opened.counts.unchanged], ["partial", 196], JSON.stringify(opened));
    });
  } finally {
    await receiver.close();
  }
});
