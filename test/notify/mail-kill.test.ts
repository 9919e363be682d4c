/** A real hub, killed between a run's end and its mail, and while the mail goes out: none is lost. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createTokenText } from "../../src/security/token.ts";
import { startMailServer, startSilentServer } from "../support/mail-server.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";

const KILLS = 6;

test(
  "killed again and again before and while mails go out, the hub loses none",
  { skip: onlyInCheckOnDeno },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-"));
    const server = await startMailServer();
    const token = createTokenText();
    const env = {
      MUSTER_DATA_DIR: join(dir, "data"),
      MUSTER_ADMIN_TOKEN: token,
      MUSTER_CONNECTORS: "./test/support/hr-feed.ts",
      SMTP_URL: `smtp://127.0.0.1:${server.port}`,
      MAIL_FROM: "muster@example.com",
    };
    let hub = await startServing(env);
    const ask = async (path: string, method: string, body: unknown, type = "application/json") => {
      const answer = await fetch(`${hub.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": type, prefer: "wait=30" },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      assert.ok(answer.ok, `${path}: ${answer.status}`);
      return await answer.json();
    };
    const arrived = (name: string) => server.received.filter(({ mail }) => mail.text!.includes(`"${name}"`));
    try {
      await ask("/v1/organization", "PATCH", { technical_contact: "it@acme.test" });
      await ask("/v1/connections", "POST", { connector: "hr-feed", name: "HR feed", slug: "hr" });
      const names: string[] = [];
      for (let kill = 0; kill < KILLS; kill++) {
        const name = `night-${kill}.csv`;
        names.push(name);
        let isGoing = () => {};
        const going = new Promise<void>((resolve) => isGoing = resolve);
        // Half of them die when the server has the mail and has not said so, the others as soon as the run has ended.
        server.onMail = kill % 2 === 0
          ? (mail) => {
            server.received.push(mail);
            isGoing();
            // It never says so.
            return new Promise(() => {});
          }
          : null;
        const body = `employee_id,email,first_name,last_name\n1,ana${kill}@,Ana,Lopez\n2,tom@acme.test,Tom,Marsh\n`;
        const { run } = await ask(`/v1/connections/hr/drops?name=${name}`, "POST", body, "text/csv");
        assert.equal(run.status, "partial");
        if (kill % 2 === 0) await going;
        const before = arrived(name).length;
        await hub.stop("SIGKILL");
        server.onMail = null;
        hub = await startServing(env);
        for (let tries = 0; arrived(name).length === (kill % 2 === 0 ? before : 0); tries++) {
          assert.ok(tries < 200, `The mail about ${name} is lost: ${hub.said().err}`);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
      for (const name of names) {
        // Sent twice where nobody could know, and told by its identifier.
        assert.equal(new Set(arrived(name).map(({ mail }) => mail.messageId)).size, 1, name);
      }
      const { data } = await (await fetch(`${hub.url}/v1/mails`, { headers: { authorization: `Bearer ${token}` } }))
        .json();
      assert.deepEqual(data.map(({ type }: { type: string }) => type), names.map(() => "run.failures"));
      assert.equal(await hub.stop(), 0);
    } finally {
      hub.process.kill("SIGKILL");
      await server.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
);

test("a mail server that says nothing keeps neither runs from their end nor the hub from stopping", {
  skip: onlyInCheckOnDeno,
}, async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const silent = await startSilentServer();
  const token = createTokenText();
  const hub = await startServing({
    MUSTER_DATA_DIR: join(dir, "data"),
    MUSTER_ADMIN_TOKEN: token,
    MUSTER_CONNECTORS: "./test/support/hr-feed.ts",
    SMTP_URL: `smtp://127.0.0.1:${silent.port}`,
    MAIL_FROM: "muster@example.com",
  });
  const ask = async (path: string, method = "GET", body: string | null = null, type = "application/json") => {
    const headers = { authorization: `Bearer ${token}`, "content-type": type, prefer: "wait=30" };
    return await (await fetch(`${hub.url}${path}`, { method, headers, body })).json();
  };
  try {
    await ask("/v1/organization", "PATCH", JSON.stringify({ technical_contact: "it@acme.test" }));
    await ask("/v1/connections", "POST", JSON.stringify({ connector: "hr-feed", name: "HR feed", slug: "hr" }));
    for (let night = 0; night < 3; night++) {
      const body = `employee_id,email,first_name,last_name\n1,ana${night}@,Ana,Lopez\n2,tom@acme.test,Tom,Marsh\n`;
      const { run } = await ask(`/v1/connections/hr/drops?name=${night}.csv`, "POST", body, "text/csv");
      assert.equal(run.status, "partial");
      while (night === 0 && (await ask("/v1/mails")).data[0].attempts === 0) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    const asked = Date.now();
    assert.equal(await hub.stop("SIGTERM"), 0);
    assert.ok(Date.now() - asked < 5_000, `It took ${Date.now() - asked} ms`);
  } finally {
    hub.process.kill("SIGKILL");
    await silent.close();
    await rm(dir, { recursive: true, force: true });
  }
});
