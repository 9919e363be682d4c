import assert from "node:assert/strict";
import test from "node:test";
import { leaseRun, runNext } from "../../src/runs/next.ts";
import { carry } from "../../src/runs/run.ts";
import { createCarrier } from "../../src/runs/carrier.ts";
import { createRunTurns } from "../../src/runs/turns.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";
import { rounds } from "../support/rounds.ts";

/** Makes the organization and gives a way to hand it files. */
async function organization({ hub }: Importing, slug: string) {
  await createOrganization(hub.db, { slug, name: slug, timezone: "UTC" }, hub.clock.ms);
  const ask = createAsk(hub, await createTestToken(hub, { organization: slug }));
  return async (content: string, connection = "csv", mode = "auto"): Promise<string> => {
    const answer = await ask(`/v1/connections/${connection}/drops?name=people.csv&mode=${mode}`, {
      body: content,
      headers: { "content-type": "text/csv" },
    });
    assert.equal(answer.status, 202);
    return (await answer.json()).run.id;
  };
}

/** Ids of runs as they ended, in their order. */
const ended = ({ hub }: Importing) =>
  hub.lines.filter(({ event }) => event === "run.ended" || event === "run.planned").map(({ details }) =>
    details.run_id
  );

const file = (from: number, rows = 1) => csv(HEADER, ...crowd(rows, from));

test("a row of one organization is carried next, however many files of another wait", async () => {
  await importing(async (world) => {
    const big = await organization(world, "big"), small = await organization(world, "small");
    for (let n = 0; n < rounds(400, 120); n++) await big(file(n * 2 + 1, 2), "csv", "plan");
    const options = { signal: new AbortController().signal, owner: "test", rethrow: true };
    const turns = createRunTurns();
    for (let n = 0; n < 3; n++) await runNext(world.hub, options, turns);
    const id = await small(file(1));
    const next = await runNext(world.hub, options, turns);
    assert.equal(next, world.number("run", id));
  });
});

test("files of one connection do not keep those of another of its organization waiting", async () => {
  await importing(async (world) => {
    const { handIn, number, connect, hub } = world;
    await connect("other");
    const first: string[] = [];
    for (let n = 0; n < 5; n++) first.push(await handIn(file(n + 1), { mode: "plan" }));
    const options = { signal: new AbortController().signal, owner: "test", rethrow: true };
    const turns = createRunTurns();
    const carried = [await runNext(hub, options, turns)];
    const others = [await handIn(file(8), { connection: "other", mode: "plan" })];
    others.push(await handIn(file(9), { connection: "other", mode: "plan" }));
    for (let id; (id = await runNext(hub, options, turns)) !== null;) carried.push(id);
    const expected = [first[0], others[0], first[1], others[1], ...first.slice(2)];
    assert.deepEqual(carried, expected.map((id) => number("run", id!)));
  });
});

function carrierOf(world: Importing, signal = new AbortController().signal) {
  return createCarrier(world.hub, { signal, owner: "test", rethrow: true }, { take: leaseRun, carry });
}

test("parts of a run that wait for its turn beside one another all go on", { timeout: 20_000 }, async () => {
  await importing(async (world) => {
    const id = await world.handIn(file(1));
    const passed: string[] = [];
    const carrier = createCarrier(world.hub, { signal: new AbortController().signal, owner: "test", rethrow: true }, {
      take: leaseRun,
      async carry(hub, taken, options) {
        // As a drop is read while whoever decrypts it is waited for.
        await Promise.all(["reads", "uses"].map(async (part) => {
          for (let n = 0; n < 3; n++) await options.pause!();
          passed.push(part);
        }));
        await carry(hub, taken, options);
      },
    });
    for (let turn = 0; turn < 1_000 && (turn === 0 || carrier.size > 0); turn++) await carrier.turn();
    assert.deepEqual(passed.sort(), ["reads", "uses"]);
    assert.equal((await world.run(id)).status, "succeeded");
  });
});

test("small runs pass a long one of another organization, which comes to its end", async () => {
  await importing(async (world) => {
    const big = await organization(world, "big"), small = await organization(world, "small");
    const other = await organization(world, "other");
    const long = await big(file(1, rounds(60_000, 12_000)));
    const carrier = carrierOf(world);
    for (let n = 0; n < 3; n++) assert.equal(await carrier.turn(), "paused");
    const first = await small(file(1)), second = await other(file(2));
    carrier.look();
    while (await carrier.turn() !== "idle");
    const order = world.hub.lines.filter(({ event }) => event === "run.ended").map(({ details }) => details.run_id);
    assert.deepEqual(order, [first, second, long]);
  });
});

test("of two large inputs one is at work at a time, and small ones pass both", async () => {
  await importing(async (world) => {
    const one = await organization(world, "one"), two = await organization(world, "two");
    const small = await organization(world, "small");
    // More bytes than a small one has, in few rows.
    const wide = (from: number) => csv(`${HEADER},note`, ...crowd(900, from, () => `,${"x".repeat(10_000)}`));
    const large = [await one(wide(1)), await two(wide(1))];
    const carrier = carrierOf(world);
    assert.equal(await carrier.turn(), "paused");
    assert.equal(await carrier.turn(), "paused");
    assert.equal(carrier.size, 1);
    const passing = await small(file(1));
    carrier.look();
    while (await carrier.turn() !== "idle") assert.ok(carrier.size <= 2);
    const order = ended(world).filter((id, n, all) => all.indexOf(id) === n);
    assert.deepEqual(order, [passing, ...large]);
  });
});

test("asked to stop, every run at work is let go, and the next process carries them to their ends", async () => {
  await importing(async (world) => {
    const stop = new AbortController();
    const ids = [
      await (await organization(world, "one"))(file(1, 6_000)),
      await (await organization(world, "two"))(file(1, 6_000)),
    ];
    const carrier = carrierOf(world, stop.signal);
    for (let n = 0; n < 4; n++) await carrier.turn();
    assert.equal(carrier.size, 2);
    stop.abort();
    while (await carrier.turn() !== "idle");
    assert.equal(carrier.size, 0);
    // No lease is left to wait for.
    const carried: (number | null)[] = [];
    const options = { signal: new AbortController().signal, owner: "next", rethrow: true };
    for (let id; (id = await runNext(world.hub, options)) !== null;) carried.push(id);
    assert.deepEqual(carried, ids.map((id) => world.number("run", id)));
  });
});
