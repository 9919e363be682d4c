import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { WholeFile } from "../../src/bridge/contract.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runNext } from "../../src/runs/next.ts";
import { type Bridging, bridging, isHeld } from "../support/bridging.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "../support/hub.ts";

let hub: TestHub;
let admin: Ask;
let bridge: Bridging;
let id: string;
let count = 0;

before(async () => {
  hub = await createTestHub({ registry: createRegistry() });
  admin = createAsk(hub, await createTestToken(hub));
  bridge = await bridging(hub);
});
after(async () => {
  await bridge.kill();
  hub.close();
});
beforeEach(async () => {
  const made = await admin("/v1/connections", {
    json: { connector: "sftp-drop", name: `sftp ${++count}`, policy: { coverage: "full" } },
  });
  id = (await made.json()).id;
  await isHeld(bridge, id);
});

async function handOver(name: string, content: string, isFollowed: boolean, open?: WholeFile["open"]): Promise<void> {
  const core = bridge.poller.hub;
  const connection = core.connections().find((each) => each.id === id)!;
  const bytes = new TextEncoder().encode(content).length;
  await core.handOver(connection, {
    folder: "/incoming",
    name,
    bytes,
    modifiedAt: Number(name.replace(/\D/g, "")) * 1000,
    isFollowed,
    open: open ?? (() => new Blob([content]).stream()),
  }, new AbortController().signal);
}

/** As the hub's runner does at any moment. */
async function carry(): Promise<void> {
  while (await runNext(hub, { signal: new AbortController().signal, owner: "test", rethrow: true }) !== null);
}

async function runs(): Promise<string[]> {
  const { data } = await (await admin(`/v1/runs?connection=${id}`)).json();
  return data.reverse().map((run: { drop: { name: string }; status: string }) => `${run.drop.name} ${run.status}`);
}

const person = (n: number) => `email,first_name,last_name,employee_id\np${n}@example.com,P,${n},'${n}\n`;

test("of versions of a file that waited together the latest counts, though the first was there before it", async () => {
  const version = (n: number) => person(1).replace(",P,", `,P${n},`);
  await handOver("1.csv", version(1), true);
  await carry();
  assert.deepEqual(await runs(), ["1.csv queued"]);
  await handOver("2.csv", version(2), true);
  await carry();
  await handOver("3.csv", version(3), false);
  await carry();
  assert.deepEqual(await runs(), ["1.csv superseded", "2.csv superseded", "3.csv succeeded"]);
});

test("files with other people that waited together all count", async () => {
  await handOver("4.csv", person(4), true);
  await handOver("5.csv", person(5), false);
  await carry();
  assert.deepEqual(await runs(), ["4.csv succeeded", "5.csv succeeded"]);
});

test("departments that waited behind users come first", async () => {
  await handOver("10.csv", "email,first_name,last_name,employee_id,department_name\nq@example.com,Q,R,'q,Labs\n", true);
  await carry();
  await handOver("11.csv", "name,parent\nScience,\nLabs,Science\n", false);
  await carry();
  const { data } = await (await admin(`/v1/runs?connection=${id}`)).json();
  const [departments, users] = data;
  assert.deepEqual([users.status, departments.status, departments.entity], ["succeeded", "succeeded", "departments"]);
  const ended = hub.lines.filter(({ event }) => event === "run.ended").map(({ details }) => details.run_id);
  assert.deepEqual(ended.slice(-2), [departments.id, users.id]);
});

test("a file that another should follow is not kept waiting by one that does not come", async () => {
  await handOver("20.csv", person(20), true);
  const breaking = () => new ReadableStream<Uint8Array>({ pull: (c) => c.error(new Error("gone")) });
  await assert.rejects(handOver("21.csv", person(21), false, breaking));
  await carry();
  assert.deepEqual(await runs(), ["20.csv succeeded"]);

  await handOver("22.csv", person(22), true);
  await carry();
  assert.equal((await runs())[1], "22.csv queued");
  hub.clock.ms += 121_000;
  await carry();
  assert.equal((await runs())[1], "22.csv succeeded");
});
