/** Who is in at the hosted server while what let them in is taken away: a whole hub, a whole bridge, and clients. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createHostedServer } from "../../src/bridge/hosted/server.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { type Bridging, bridging, until } from "../support/bridging.ts";
import { connect, done } from "../support/hosted.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let operator: Ask;
let bridge: Bridging;

before(async () => {
  hub = await createTestHub({ registry: createRegistry(), now: Date.now() });
  operator = createAsk(hub, await createTestToken(hub, { scopes: ["admin", "operator"] }));
  bridge = await bridging(hub, {
    createHostedServer: (options) => createHostedServer(options, { limits: { settleMs: 50 } }),
    now: Date.now,
  });
});
after(async () => {
  await bridge.kill();
  hub.close();
});

// deno-lint-ignore no-explicit-any
type Json = any;

async function customer() {
  const made = await operator("/v1/connections", {
    json: { connector: "sftp-drop", name: "HR", slug: `hr-${crypto.randomUUID().slice(0, 8)}` },
  });
  const { id } = await made.json();
  const path = `/v1/connections/${id}`;
  const make = async (json: object): Promise<Json> => await (await operator(`${path}/sftp-login`, { json })).json();
  const first = await make({ method: "password" });
  const logIn = async (secret: { password?: string; privateKey?: string }) => {
    const { client, sftp } = await connect({ port: bridge.bridge.hosted!.port }, first.username, {
      password: undefined,
      ...secret,
    });
    let isClosed = false;
    client.on("close", () => isClosed = true);
    return {
      isOut: () => until("it is sent away", () => isClosed, Boolean, 10_000),
      isIn: async () => {
        const names = await done<unknown[]>((callback) => sftp.readdir("/incoming", callback));
        assert.ok(Array.isArray(names) && !isClosed);
      },
      /** Begins an upload, and gives its end. */
      async begin(name: string) {
        const handle = await done<Buffer>((callback) => sftp.open(`/incoming/${name}`, "w", callback));
        await done((callback) => sftp.write(handle, Buffer.from("email\n"), 0, 6, 0, callback));
      },
      end: () => client.end(),
    };
  };
  return { id, path, make, logIn, first };
}

/** Two looks of the bridge at the hub later. */
async function aCycle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 300));
}

test("somebody logs in at once with what was made a moment ago, at the address that the answer gave", async () => {
  const { logIn, first } = await customer();
  assert.match(first.server.host_key, /^SHA256:/);
  const session = await logIn({ password: first.password });
  await session.isIn();
  session.end();
});

test("a new password ends what is in with the old one, and nobody who came with a key", async () => {
  const { make, logIn, first } = await customer();
  const pair = await make({ method: "key_pair" });
  const old = await logIn({ password: first.password });
  const withKey = await logIn({ privateKey: pair.private_key });
  await old.begin("half.csv");
  const second = await make({ method: "password" });
  await old.isOut();
  await assert.rejects(logIn({ password: first.password }));
  const fresh = await logIn({ password: second.password });
  await aCycle();
  await withKey.isIn();
  await fresh.isIn();
  withKey.end();
  fresh.end();
  // What was being written is not whole, and nobody takes it.
  const { data } = await (await operator("/v1/runs")).json();
  assert.deepEqual(data, []);
});

test("a key that is taken away ends what is in with it alone, and another one that is added ends nothing", async () => {
  const { path, make, logIn } = await customer();
  const one = await make({ method: "key_pair" });
  const first = await logIn({ privateKey: one.private_key });
  const two = await make({ method: "key_pair" });
  const second = await logIn({ privateKey: two.private_key });
  await aCycle();
  await first.isIn();
  const kept = two.keys.map(({ fingerprint }: Json) => fingerprint)
    .filter((each: string) => each !== one.keys[0].fingerprint);
  const changed = await operator(`${path}/sftp-login`, { method: "PATCH", json: { keys: kept } });
  assert.equal(changed.status, 200);
  await first.isOut();
  await second.isIn();
  second.end();
});

test("a log-in that is removed, and a connection that is deleted, disconnect its clients; a pause does not", async () => {
  const one = await customer(), two = await customer();
  const first = await one.logIn({ password: one.first.password });
  const second = await two.logIn({ password: two.first.password });
  // Files of a paused connection are taken as ever: its runs wait.
  assert.equal((await operator(`${one.path}/pause`, { method: "POST", json: {} })).status, 200);
  await aCycle();
  await first.isIn();
  assert.equal((await operator(`${one.path}/sftp-login`, { method: "DELETE" })).status, 204);
  await first.isOut();
  await second.isIn();
  assert.equal((await operator(two.path, { method: "DELETE" })).status, 204);
  await second.isOut();
});
