import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { startBridge } from "../../../src/bridge/bridge.ts";
import { createPoller } from "../../../src/bridge/remote/poller.ts";
import { createDial } from "../../../src/runtime/dial.ts";
import { createRegistry } from "../../../src/runtime/registry.ts";
import { createApp } from "../../../src/http/app.ts";
import { parseAllowHosts } from "../../../src/security/outbound.ts";
import { runNext } from "../../../src/runs/next.ts";
import { bridging, until } from "../../support/bridging.ts";
import { checked } from "../../support/checked.ts";
import { createAsk, createTestHub, createTestToken } from "../../support/hub.ts";
import { put } from "../../support/remote.ts";
import { asRemote, noSshd, startSshServer } from "../../support/sshd.ts";

const names = (folder: string) => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};

test("a remote server from its first check to the failure report beside the file, and a changed host key", {
  skip: noSshd,
}, async (t) => {
  const server = await startSshServer(t);
  const incoming = join(server.folder, "incoming");
  const hub = await createTestHub({ registry: createRegistry() });
  const admin = createAsk(hub, await createTestToken(hub));
  const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  const app = createApp(hub);
  const dir = mkdtempSync(join(tmpdir(), "muster-bridge-"));
  const lines: { event: string; details: Record<string, unknown> }[] = [];
  const bridge = await startBridge({
    url: hub.publicUrl,
    token: await createTestToken(hub, { scopes: ["bridge"] }),
    name: "test bridge",
    version: "0.0.0",
    dir,
    hosted: null,
    createHostedServer: () => assert.fail("there is none"),
    createPoller,
    dial: createDial(parseAllowHosts(`sftp.example.com=127.0.0.1:${server.port}`).allow),
    fetch: async (url, init) =>
      await checked(init?.method ?? "GET", String(url), await app.request(String(url), init as RequestInit)),
    log: (event, details = {}) => void lines.push({ event, details }),
    now: Date.now,
    askEveryMs: 10,
    retryMs: 10,
  });
  t.after(async () => {
    await bridge.close();
    hub.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const introduced = await until("it is introduced", () => lines.find(({ event }) => event === "bridge.introduced"));
  await operator(`/v1/bridges/${introduced!.details.bridge}/confirm`, { method: "POST" });

  const made = await admin("/v1/connections", {
    json: {
      connector: "sftp-drop",
      name: "HR's server",
      slug: "hr",
      settings: { mode: "remote", host: "sftp.example.com", username: server.username, folder: incoming },
      secrets: { private_key: server.privateKey, passphrase: server.passphrase },
    },
  });
  assert.equal(made.status, 201, await made.clone().text());
  const connection = async () => await (await admin("/v1/connections/hr")).json();
  await until(
    "the server's key is asked for",
    async () => (await connection()).sftp.trouble?.code === "host_key_unconfirmed",
  );

  const check = async () => {
    const answer = await admin("/v1/connections/hr/check", { json: {} });
    assert.equal(answer.status, 200, await answer.clone().text());
    return await answer.json();
  };
  const first = await check();
  assert.deepEqual([first.ok, first.found], [false, { host_key: server.hostKey }]);

  put(
    server,
    "users.csv",
    "email,first_name,last_name,employee_id\ndot@,Dot,Frey,'004\neve@example.com,Eve,Gray,'005\n",
  );
  put(server, "users.csv.done", "");
  const confirm = async (host_key: string) => {
    const { settings } = await connection();
    const answer = await admin("/v1/connections/hr", {
      method: "PATCH",
      json: { settings: { ...settings, host_key } },
    });
    assert.equal(answer.status, 200, await answer.clone().text());
  };
  await confirm(server.hostKey);
  await until("the file is put away", () => names(incoming).every((name) => !name.startsWith("users")));
  assert.deepEqual(names(join(incoming, ".bak")).map((name) => name.replace(/^[^-]+-/, "")), [
    "users.csv",
    "users.csv.done",
  ]);
  while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
  const [run] = (await (await admin("/v1/runs?connection=hr")).json()).data;
  assert.deepEqual([run.status, run.counts.created, run.counts.failed], ["partial", 1, 1]);
  await until("the report is there", () => names(join(incoming, "reports")).includes("users.failures.csv"));
  assert.deepEqual(names(join(incoming, "reports")), ["users.failures.csv"]);
  assert.match(
    readFileSync(join(incoming, "reports/users.failures.csv"), "utf8"),
    /dot@,Dot,Frey,'004,error,email_invalid,.*,2\r\n/,
  );
  const second = await check();
  assert.deepEqual([second.ok, second.found], [true, { host_key: server.hostKey, files: 0 }], second.detail);

  await confirm(`SHA256:${"A".repeat(43)}`);
  const { trouble } = await until(
    "the other key is reported",
    async () => (await connection()).sftp,
    ({ trouble }) => trouble?.code === "host_key_changed",
  );
  assert.match(trouble.message, /^"sftp\.example\.com" shows the host key SHA256:.*nothing was sent/);
  assert.ok(!JSON.stringify(lines).includes("users.csv"), "names of files are not logged");
});

test(
  "where files are left, the report comes back too; where it may not be written, that is reported, and it comes once it may",
  {
    skip: noSshd,
  },
  async (t) => {
    const server = await startSshServer(t);
    const incoming = join(server.folder, "incoming"), reports = join(incoming, "reports");
    const hub = await createTestHub({ registry: createRegistry() });
    const operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
    let ahead = 0;
    const bridge = await bridging(hub, {
      hosted: false,
      createPoller,
      dial: createDial(parseAllowHosts(`sftp.example.com=127.0.0.1:${server.port}`).allow),
      now: () => Date.now() + ahead,
      askEveryMs: 10,
    });
    t.after(async () => {
      await bridge.kill();
      hub.close();
    });
    const connection = async () => await (await operator("/v1/connections/hr")).json();
    const carry = async () => {
      while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
    };
    const drop = (name: string, lastName: string) => {
      put(server, name, `email,first_name,last_name\ndot@,Dot,${lastName}\n`, 100);
      put(server, `${name}.done`, "", 100);
    };
    drop("users.csv", "Frey");
    // This is in everybody's way, root's too.
    writeFileSync(reports, "");
    const { settings, secrets } = asRemote(server, incoming);
    const made = await operator("/v1/connections", {
      json: {
        connector: "sftp-drop",
        name: "HR's server",
        slug: "hr",
        settings: { ...settings, after: "leave", every_minutes: 1 },
        secrets,
      },
    });
    assert.equal(made.status, 201, await made.clone().text());
    const runs = async () => (await (await operator("/v1/runs")).json()).data;
    await until("the file is taken", runs, (list) => list.length === 1, 20_000);
    await carry();
    const { sftp, state } = await until("it is reported", connection, ({ sftp }) => sftp.trouble !== null, 20_000);
    assert.equal(sftp.trouble.code, "report_not_written");
    assert.ok(sftp.trouble.message.includes(reports), sftp.trouble.message);
    assert.deepEqual([state, sftp.failures_in_a_row], ["ok", 0]);
    assert.deepEqual(names(incoming), ["reports", "users.csv", "users.csv.done"]);
    // The report is where it was: it comes as soon as it may be written.
    rmSync(reports);
    ahead += 3 * 60_000;
    await until("the report comes back", () => names(reports), (list) => list.includes("users.failures.csv"), 20_000);
    assert.match(readFileSync(join(reports, "users.failures.csv"), "utf8"), /dot@,Dot,Frey/);
    await until("nothing is reported any more", connection, ({ sftp }) => sftp.trouble === null, 20_000);
    assert.deepEqual(names(incoming), ["reports", "users.csv", "users.csv.done"]);
  },
);
