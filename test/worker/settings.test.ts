/** What a Worker makes of its variables, without a Worker around it. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { DatabaseSync } from "node:sqlite";
import { migrateDatabase } from "../../src/door/database.ts";
import worker from "../../src/worker.ts";
import { createMasterKeyText } from "../../src/secrets.ts";
import { createTokenText } from "../../src/token.ts";
import { fakeD1 } from "../support/d1.ts";
import { startReceiver } from "../support/receiver.ts";

interface Scene {
  /** The worker's answer; what goes on behind it has ended by then. */
  ask(path: string, variables: Record<string, string>, init?: RequestInit): Promise<Response>;
  /** What it has logged so far. */
  lines(): Record<string, unknown>[];
  count(table: string): number;
}

async function onWorkers(work: (scene: Scene) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-worker-"));
  const file = join(dir, "d1.db");
  await migrateDatabase(`file:${file}`, null);
  const database = new DatabaseSync(file);
  const written: string[] = [];
  const { log } = console;
  try {
    console.log = (line: string) => void written.push(line);
    await work({
      async ask(path, variables, init) {
        const behind: Promise<unknown>[] = [];
        const context = { waitUntil: (promise: Promise<unknown>) => void behind.push(promise) };
        const request = new Request(`https://muster.example.com${path}`, init);
        const answer = await worker.fetch(request, { DB: fakeD1(database), ...variables }, context);
        for (const promise of behind) await promise;
        return answer;
      },
      lines: () => written.map((line) => JSON.parse(line)),
      count: (table) => Number(database.prepare(`select count(*) as n from ${table}`).get()!.n),
    });
  } finally {
    console.log = log;
    database.close();
    await rm(dir, { recursive: true, force: true });
  }
}

test("a Worker that is told of a mail server says that it sends no mail, keeps none waiting, and does all else", () =>
  onWorkers(async ({ ask, lines, count }) => {
    const token = createTokenText();
    const variables = {
      MUSTER_ADMIN_TOKEN: token,
      MUSTER_MASTER_KEY: createMasterKeyText(),
      MUSTER_ALLOW_HOSTS: "127.0.0.1",
      SMTP_URL: "smtp://muster:hunter2@mail.example.com",
    };
    const json = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const contact = JSON.stringify({ technical_contact: "it@acme.test" });
    assert.equal(
      (await ask("/v1/organization", variables, { method: "PATCH", headers: json, body: contact })).status,
      200,
    );
    // An endpoint that is switched off is told by mail where there is any.
    const gone = await startReceiver((_, response) => void response.writeHead(410).end());
    const endpoint = JSON.stringify({ url: gone.url });
    const made = await ask("/v1/webhook-endpoints", variables, { method: "POST", headers: json, body: endpoint });
    const { id } = await made.json();
    const headers = { ...json, "content-type": "text/csv", prefer: "wait=30" };
    const body = "employee_id,email,first_name,last_name\n1,ana@example.com,Ana,Lopez\n";
    const answer = await ask("/v1/connections/csv/drops", variables, { method: "POST", headers, body });
    assert.equal((await answer.json()).run.status, "succeeded");
    const { status } = await (await ask(`/v1/webhook-endpoints/${id}`, variables, { headers: json })).json();
    assert.equal(status, "disabled");
    await gone.close();
    const said = lines().filter(({ event }) => event === "mail.unavailable");
    assert.deepEqual(said.map(({ reason }) => reason), ["Workers send no mail: SMTP_URL has no meaning here"]);
    assert.ok(!JSON.stringify(lines()).includes("hunter2"));
    assert.equal(count("mails"), 0);
  }));

test("a Worker whose settings cannot be used answers so, and its log names each of them", () =>
  onWorkers(async ({ ask, lines }) => {
    const answer = await ask("/healthz", { MUSTER_RETAIN_DAYS: "many", MUSTER_PUBLIC_URL: "here" });
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /^The hub's settings cannot be used; its log says why$/m);
    const problems = lines().map(({ event, problem }) => `${event} ${problem}`);
    assert.equal(problems.length, 2);
    assert.match(
      problems.join("\n"),
      /settings.refused MUSTER_RETAIN_DAYS[^]*settings.refused MUSTER_PUBLIC_URL|settings.refused MUSTER_PUBLIC_URL[^]*settings.refused MUSTER_RETAIN_DAYS/,
    );
  }));
