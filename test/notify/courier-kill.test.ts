/** Real processes, killed between an event and its delivery and in the midst of it: no event is lost, none is twice. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { HUB } from "../../src/audit.ts";
import { parseConfig } from "../../src/config.ts";
import { prepareStorage } from "../../src/door/first-start.ts";
import { openLibsql } from "../../src/door/libsql.ts";
import { encodeId } from "../../src/id.ts";
import { createSecretText, secretPurpose } from "../../src/notify/message.ts";
import { createMasterKeyText, createSecrets } from "../../src/secrets.ts";
import { createEndpoint } from "../../src/store/endpoints.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createTokenText } from "../../src/token.ts";
import { startReceiver } from "../support/receiver.ts";
import { startServing } from "../support/serve.ts";

const CHILD = fileURLToPath(new URL("courier-child.ts", import.meta.url));
const KILLS = 30;
const onNode = "Deno" in globalThis ? false : "one runtime is enough to do the killing: npm test has this test";

/** Starts a process and kills it so long after it began; null: lets it come to its end. */
function live(args: string[], afterMs: number | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["run", "-A", "--no-check", CHILD, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout!.once("data", () => {
      if (afterMs !== null) setTimeout(() => process.kill(child.pid!, "SIGKILL"), afterMs);
    });
    child.on("exit", (code) => afterMs === null && code !== 0 ? reject(new Error(`It ended with ${code}`)) : resolve());
  });
}

test("killed thirty times between events and their deliveries, no event is lost", { skip: onNode }, async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const { config } = parseConfig({ MUSTER_DATA_DIR: dir });
  await prepareStorage(config!);
  const path = join(dir, "muster.db"), key = createMasterKeyText();
  const { db } = await openLibsql({ url: `file:${path}`, authToken: null, role: "alone" });
  const quick = await startReceiver();
  const slow = await startReceiver((_, response) => void setTimeout(() => response.writeHead(204).end(), 15));
  try {
    const secrets = await createSecrets([key]);
    const organization = await createOrganization(db, { slug: "acme", name: "Acme", timezone: "UTC" }, 0);
    for (const [id, { url }] of [[1, quick], [2, slow]] as const) {
      const secret = await secrets.seal(secretPurpose(id), createSecretText());
      await createEndpoint(db, organization.id, { id, url, description: null, eventTypes: null, secret }, 0, HUB);
    }
    const args = [path, key, String(organization.id)];
    for (let kill = 0; kill < KILLS; kill++) await live([...args, "work"], 20 + 17 * (kill % 12));
    await live([...args, "rest"], null);

    const events = (await db.rows<[number]>(sql`select id from events`)).map(([id]) => encodeId("evt", id));
    assert.ok(events.length > KILLS, `${events.length} events`);
    for (const { received } of [quick, slow]) {
      const got = received.map(({ headers }) => headers["webhook-id"]!);
      assert.deepEqual([...new Set(got)].sort(), [...events].sort());
      // What was in flight when its sender died comes again; nothing else does.
      assert.ok(got.length - events.length <= KILLS * 40, `${got.length} for ${events.length} events`);
    }
    const [counts] = await db.rows<[number, number]>(sql`select count(*), sum(status = 'succeeded') from deliveries`);
    assert.deepEqual([...counts!], [2 * events.length, 2 * events.length]);
  } finally {
    db.close();
    await quick.close();
    await slow.close();
    await rm(dir, { recursive: true, force: true });
  }
});

test("a hub that is killed as soon as a run has ended tells of it at its next start", async () => {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const receiver = await startReceiver();
  const token = createTokenText();
  const env = { MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: token, MUSTER_ALLOW_HOSTS: "127.0.0.1" };
  let hub = await startServing(env);
  const ask = async (path: string, body: string, type: string) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": type, prefer: "wait=30" };
    const answer = await fetch(`${hub.url}${path}`, { method: "POST", headers, body });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return await answer.json();
  };
  try {
    await ask(
      "/v1/webhook-endpoints",
      JSON.stringify({ url: receiver.url, event_types: ["run.completed"] }),
      "application/json",
    );
    const runs: string[] = [];
    for (let kill = 0; kill < 3; kill++) {
      const body = `employee_id,email,first_name,last_name\n${kill},ana${kill}@example.com,Ana,Lopez\n`;
      runs.push((await ask("/v1/connections/csv/drops", body, "text/csv")).run.id);
      await hub.stop("SIGKILL");
      hub = await startServing(env);
    }
    const told = () => new Set(receiver.received.map(({ body }) => JSON.parse(body).data.run.id));
    for (const end = Date.now() + 20_000; told().size < runs.length && Date.now() < end;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual([...told()].sort(), runs.sort());
    assert.ok(!hub.said().err.includes(receiver.url), "an endpoint's address is in the log");
  } finally {
    await hub.stop("SIGTERM");
    await receiver.close();
    await rm(dir, { recursive: true, force: true });
  }
});
