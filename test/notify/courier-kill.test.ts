/** Real processes, killed between an event and its delivery and in the midst of it: no event is lost, none is twice. */
import { type SQL, sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { HUB } from "../../src/model/audit.ts";
import { parseConfig } from "../../src/runtime/config.ts";
import { prepareStorage } from "../../src/runtime/first-start.ts";
import { openDatabase } from "../../src/runtime/database.ts";
import { encodeId } from "../../src/model/id.ts";
import { createSecretText, secretPurpose } from "../../src/notify/message.ts";
import { createMasterKeyText, createSecrets } from "../../src/security/secrets.ts";
import { createEndpoint } from "../../src/store/notify/endpoints.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createTokenText } from "../../src/security/token.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { onlyInCheck, onlyInCheckOnDeno, rounds } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";

const CHILD = fileURLToPath(new URL("courier-child.ts", import.meta.url));
/** Of the whole hub; a process that does nothing but make events and send them is killed fewer times. */
const KILLS = rounds(30, 2), SENDER_KILLS = rounds(12, 2);
const onNode = "Deno" in globalThis ? false : "one runtime is enough to do the killing: npm test has this test";
const kills = onNode === false ? KILLS : 3;

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

test(
  "killed in a stream of events and their deliveries, a sender loses none",
  { skip: onNode || onlyInCheckOnDeno },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-"));
    const { config } = parseConfig({ MUSTER_DATA_DIR: dir });
    await prepareStorage(config!);
    const path = join(dir, "muster.db"), key = createMasterKeyText();
    const { db } = await openDatabase({ url: `file:${path}`, authToken: null, role: "alone" });
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
      for (let kill = 0; kill < SENDER_KILLS; kill++) await live([...args, "work"], 20 + 17 * (kill % 12));
      await live([...args, "rest"], null);

      const events = (await db.rows<[number]>(sql`select id from events`)).map(([id]) => encodeId("evt", id));
      assert.ok(events.length > SENDER_KILLS, `${events.length} events`);
      for (const { received } of [quick, slow]) {
        const got = received.map(({ headers }) => headers["webhook-id"]!);
        assert.deepEqual([...new Set(got)].sort(), [...events].sort());
        // What was in flight when its sender died comes again; nothing else does.
        assert.ok(got.length - events.length <= SENDER_KILLS * 40, `${got.length} for ${events.length} events`);
      }
      const [counts] = await db.rows<[number, number]>(sql`select count(*), sum(status = 'succeeded') from deliveries`);
      assert.deepEqual([...counts!], [2 * events.length, 2 * events.length]);
    } finally {
      db.close();
      await quick.close();
      await slow.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
);

test(
  `a hub killed ${kills} times between the end of a run and its delivery tells of every run`,
  { skip: onlyInCheck },
  async () => {
    const dir = await mkdtemp(join(tmpdir(), "muster-"));
    const quick = await startReceiver();
    // Keeps its callers waiting until all the killing is done, so that nothing can be delivered there before.
    const held = await startReceiver(() => {});
    const token = createTokenText();
    const env = { MUSTER_DATA_DIR: join(dir, "data"), MUSTER_ADMIN_TOKEN: token, MUSTER_ALLOW_HOSTS: "127.0.0.1" };
    let hub = await startServing(env);
    const ask = async (path: string, body: string, type: string) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": type, prefer: "wait=30" };
      const answer = await fetch(`${hub.url}${path}`, { method: "POST", headers, body });
      assert.ok(answer.ok, `${path}: ${answer.status}`);
      return await answer.json();
    };
    const told = ({ received }: Receiver) => new Set(received.map(({ body }) => JSON.parse(body).data.run.id));
    const until = async (isSo: () => boolean, what: string) => {
      for (const end = Date.now() + 20_000; !isSo(); await new Promise((resolve) => setTimeout(resolve, 5))) {
        assert.ok(Date.now() < end, what);
      }
    };
    const stored = async <T extends unknown[]>(query: SQL): Promise<T[]> => {
      const url = `file:${join(env.MUSTER_DATA_DIR, "muster.db")}`;
      const { db } = await openDatabase({ url, authToken: null, role: "alone" });
      try {
        return await db.rows<T>(query);
      } finally {
        db.close();
      }
    };
    try {
      for (const { url } of [quick, held]) {
        await ask("/v1/webhook-endpoints", JSON.stringify({ url, event_types: ["run.completed"] }), "application/json");
      }
      const runs: string[] = [];
      for (let kill = 0; kill < kills; kill++) {
        const body = `employee_id,email,first_name,last_name\n${kill},ana${kill}@example.com,Ana,Lopez ${kill}\n`;
        const { run } = await ask("/v1/connections/csv/drops", body, "text/csv");
        assert.equal(run.status, "succeeded");
        runs.push(run.id);
        // Half of the time before anybody has been told, half of the time in the midst of it.
        if (kill % 2 === 1) await until(() => told(quick).has(run.id), `Nobody was told of ${run.id}`);
        await hub.stop("SIGKILL");
        if (kill + 1 < kills) hub = await startServing(env);
      }
      const [[events, early]] = await stored<[number, number]>(sql`select (select count(*) from events
      where type = 'run.completed'), (select count(*) from deliveries d join webhook_endpoints e on e.id = d.endpoint_id
      where e.url = ${held.url} and d.status <> 'pending')`) as [[number, number]];
      assert.deepEqual([events, early], [kills, 0], "every kill is between the event and its delivery");

      held.answer = quick.answer;
      hub = await startServing(env);
      for (const receiver of [quick, held]) {
        await until(() => told(receiver).size >= kills, `${told(receiver).size} of ${kills} runs were told of`);
        assert.deepEqual([...told(receiver)].sort(), runs.sort());
      }
      assert.ok(!hub.said().err.includes(quick.url), "an endpoint's address is in the log");
      assert.equal(await hub.stop("SIGTERM"), 0);
      const ended = await stored(sql`select status, count(*) from deliveries group by status`);
      assert.deepEqual(ended.map((row) => [...row]), [["succeeded", 2 * kills]]);
    } finally {
      await hub.stop("SIGKILL");
      await quick.close();
      await held.close();
      await rm(dir, { recursive: true, force: true });
    }
  },
);
