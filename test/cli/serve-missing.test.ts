/**
 * A served hub whose connections are pinned to a connector that was added, while a newer version is there, while it is
 * missing, and once it is back.
 */
import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { createApp } from "../../src/http/app.ts";
import { ensureDefaultOrganization, installAdminToken } from "../../src/runtime/install.ts";
import { createTokenText } from "../../src/security/token.ts";
import { until } from "../support/bridging.ts";
import { fetch } from "../support/checked.ts";
import { startMailServer } from "../support/mail-server.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { type Served, startServing } from "../support/serve.ts";
import { withTerminal } from "../support/terminal.ts";

/** Takes files, and writes its version into each title. */
const connector = (version: string) => `
export default {
  api: 1, name: "acme-payroll", version: "${version}", title: "Acme payroll", input: "drop", coverage: { users: "full" },
  settings: { "~standard": { version: 1, vendor: "own", validate: (value) => ({ value: value ?? {} }) } },
  settingsJsonSchema: { type: "object" }, key: "email",
  async *fetch(context) { yield* context.readDrop(); },
  normalize: (row, { fields }) => ({
    ...Object.fromEntries(fields.flatMap((field, i) => field ? [[field, row.cells[i]]] : [])), title: "by ${version}",
  }),
};`;

const FILE = "email,first_name,last_name\n";
const person = (i: number) => `${FILE}p${i}@acme.test,Ana,Sol\n`;

// deno-lint-ignore no-explicit-any
type Answer = { readonly status: number; readonly body: any };
type Init = { readonly method?: string; readonly json?: object; readonly csv?: string };

const requestOf = (token: string, { method, json, csv }: Init) => ({
  method: method ?? (json === undefined && csv === undefined ? "GET" : "POST"),
  headers: {
    authorization: `Bearer ${token}`,
    "content-type": csv === undefined ? "application/json" : "text/csv",
    prefer: "wait=60",
  },
  ...(json !== undefined || csv !== undefined ? { body: csv ?? JSON.stringify(json) } : {}),
});

const linesOf = (served: Served, event: string) =>
  served.said().err.split("\n").filter((line) => line.includes(`"event":"${event}"`)).map((line) => JSON.parse(line));

test(
  "a hub that starts without a connector puts its connections in error, mails once, does all else, and goes on with it back",
  {
    skip: onlyInCheck,
  },
  () =>
    withTerminal(async (terminal) => {
      const mails = await startMailServer();
      const token = createTokenText();
      Object.assign(terminal.env, {
        MUSTER_ADMIN_TOKEN: token,
        SMTP_URL: `smtp://127.0.0.1:${mails.port}`,
        MAIL_FROM: "muster@example.com",
      });
      let served: Served | null = null;
      /** Asks the hub that is served, or the data directory's own where none is. */
      const ask = async (path: string, init: Init = {}): Promise<Answer> => {
        const request = requestOf(token, init);
        if (served !== null) {
          const answer = await fetch(`${served.url}/v1${path}`, request);
          return { status: answer.status, body: await answer.json() };
        }
        // Nobody carries runs here, so they are not waited for.
        const { prefer: _, ...headers } = request.headers;
        return await terminal.withHub(async (hub) => {
          await installAdminToken(hub.db, (await ensureDefaultOrganization(hub.db, Date.now())).id, token, Date.now());
          const answer = await createApp(hub).request(`/v1${path}`, { ...request, headers });
          return { status: answer.status, body: await answer.json() };
        });
      };
      const upload = (slug: string, csv: string) =>
        ask(`/connections/${slug}/drops?name=people.csv&coverage=diff`, { csv });
      const connection = async () => (await ask("/connections/payroll")).body;
      const add = async (version: string) => {
        const file = join(terminal.dir, "payroll.mjs");
        await writeFile(file, connector(version));
        const { code, err } = await terminal.run("connector", "add", file, "--yes");
        assert.equal(code, 0, err);
      };
      const stop = async () => {
        assert.equal(await served?.stop(), 0);
        served = null;
      };
      const [folder, away] = [join(terminal.env.MUSTER_DATA_DIR!, "connectors"), join(terminal.dir, "away")];
      try {
        await add("1.0.0");
        await ask("/organization", { method: "PATCH", json: { technical_contact: "it@acme.test" } });
        for (const slug of ["payroll", "beside"]) {
          const { status, body } = await ask("/connections", { json: { connector: "acme-payroll", name: slug, slug } });
          assert.deepEqual([status, body.connector_version], [201, "1.0.0"]);
        }
        await add("1.1.0");

        served = await startServing(terminal.env);
        const first = await upload("payroll", person(1));
        assert.equal(first.body.run.status, "succeeded", JSON.stringify(first.body));
        const titles = async () => (await ask("/users")).body.data.map(({ title }: { title: string }) => title);
        assert.deepEqual(await titles(), ["by 1.0.0"], "the version that it is pinned to, and not the newer one");
        const before = await connection();
        assert.deepEqual([before.installed, before.upgrade_available], [true, "1.1.0"]);
        assert.deepEqual(linesOf(served, "connectors.missing"), []);
        await stop();

        const waiting: string[] = [];
        for (const i of [2, 3, 4, 5]) waiting.push((await upload("payroll", person(i))).body.run.id);
        await rename(folder, away);

        served = await startServing(terminal.env);
        const [line, ...more] = linesOf(served, "connectors.missing");
        assert.deepEqual([line.connections, line.connectors, more], [
          2,
          "acme-payroll 1.0.0 of 2 connections of 1 organization",
          [],
        ]);
        for (const id of waiting) {
          const { body } = await ask(`/runs/${id}`);
          assert.deepEqual([body.status, body.error.code], ["failed", "connector_missing"]);
        }
        await until("the mail has come", () => mails.received.length > 0);
        const gone = await connection();
        assert.deepEqual([gone.installed, gone.state, gone.last_error.code, gone.last_error.kind], [
          false,
          "error",
          "connector_missing",
          "connector",
        ]);
        assert.deepEqual(gone.failures, { ...before.failures, connector: 4 });
        assert.equal((await upload("payroll", person(6))).status, 422);
        assert.equal((await ask("/connections/beside")).body.state, "error", "no run of it is needed for this");
        const other = await upload("csv", person(7));
        assert.equal(other.body.run.status, "succeeded", "all else goes on");
        assert.equal((await fetch(`${served.url}/readyz`)).status, 200);
        await stop();
        const { body: queued } = await ask("/mails");
        assert.deepEqual(queued.data.map(({ type }: { type: string }) => type), ["connection.error"]);
        assert.equal(mails.received.length, 1);
        assert.match(mails.received[0]!.mail.text!, /"acme-payroll", version 1\.0\.0, is not installed/);

        await rename(away, folder);
        served = await startServing(terminal.env);
        assert.deepEqual(linesOf(served, "connectors.missing"), []);
        assert.equal((await upload("payroll", person(8))).body.run.status, "succeeded");
        const back = await connection();
        assert.deepEqual([back.installed, back.state, back.failures_in_a_row, back.last_error], [
          true,
          before.state,
          0,
          null,
        ]);
        assert.deepEqual([back.settings, back.connector_version, back.connector_digest], [
          before.settings,
          before.connector_version,
          before.connector_digest,
        ]);
        await stop();
      } finally {
        await served?.stop("SIGKILL");
        await mails.close();
      }
    }),
);
