/** Runs on a libSQL server that is away now and then: they go on, do nothing twice, and say what failed. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import test from "node:test";
import { runNext } from "../../src/runs/next.ts";
import { crowd, csv, HEADER, HOUR_MS, type Importing, importing } from "../support/imports.ts";
import type { LibsqlServer, Received } from "../support/libsql-server.ts";
import { onlyInCheck, roundsOnDeno } from "../support/rounds.ts";

const signal = new AbortController().signal;
const once = ({ hub }: Importing) => runNext(hub, { signal, owner: "test" });
const serverOf = ({ hub }: Importing): LibsqlServer => hub.server!;
const isWrite = ({ texts }: Received) => texts.some((text) => /^begin/i.test(text));
const FILE = csv(HEADER, ...crowd(30));

/** What there is in the end. */
async function endOf(world: Importing, id: string) {
  const { status, counts, changes } = await world.run(id);
  const people = (await world.people()).map(({ employee_id, version, last_name }) => ({
    employee_id,
    version,
    last_name,
  }));
  return { status, counts, changes: changes.length, people, runs: (await world.runs()).length };
}

/** As if as much time as a lease lasts had passed on the server. */
async function endLeases({ hub: { db } }: Importing): Promise<void> {
  await db.write([db.run(sql`update organizations set lease_until = 0 where lease_until is not null`)]);
}

test("wherever the answer to a write is lost, the run ends as if it had come, and nothing is done twice", {
  skip: onlyInCheck,
}, async () => {
  const second = csv(HEADER, ...crowd(20), "E0021,p0021@acme.test,Ana,Lee", "E0099,p0099@acme.test,New,Person");
  let expected: unknown, writes = 0;
  await importing(async (world) => {
    await world.import(FILE);
    const id = await world.handIn(second);
    serverOf(world).received.length = 0;
    await world.carry({ rethrow: false });
    writes = serverOf(world).received.filter(isWrite).length;
    expected = await endOf(world, id);
  }, { onServer: true });
  assert.ok(writes > 5);
  const tried = roundsOnDeno(Array.from({ length: writes }, (_, n) => n), [writes - 1, writes >> 1]);
  for (const nth of tried) {
    for (const fault of roundsOnDeno(["lost", "cut", "dropped"] as const, ["lost"] as const)) {
      await importing(async (world) => {
        await world.import(FILE);
        const id = await world.handIn(second);
        let seen = 0;
        serverOf(world).fail(fault, { when: (received) => isWrite(received) && seen++ === nth });
        await world.carry({ rethrow: false }).catch(() => {});
        // Where even giving it back failed, the lease has to end, by the server's clock.
        await endLeases(world);
        world.later(HOUR_MS);
        await world.carry({ rethrow: false });
        assert.deepEqual(await endOf(world, id), expected, `${fault} at write ${nth}`);
      }, { onServer: true });
    }
  }
});

test("a database that is away for hours ends no run: pauses double up to five minutes, and the run says why", {
  skip: onlyInCheck,
}, () =>
  importing(async (world) => {
    const id = await world.handIn(FILE);
    const reads = ({ texts }: Received) => texts.some((text) => /from drop_chunks|"drop_chunks"/.test(text));
    const back = serverOf(world).fail(502, { when: reads, times: Infinity });
    const pauses: number[] = [];
    for (let n = 0; n < 14; n++) {
      await once(world);
      const { details } = world.hub.lines.findLast(({ event }) => event === "run.interrupted")!;
      pauses.push(details.again_in_ms as number);
      assert.match(
        String(details.why),
        /^The database at 127\.0\.0\.1:\d+ failed with the status 502: check the server/,
      );
      assert.equal(await once(world), null, "it pauses");
      const run = await world.run(id);
      assert.deepEqual([run.status, run.error], ["planning", { code: "unavailable", message: details.why }]);
      world.later(details.again_in_ms as number);
    }
    assert.deepEqual(pauses.map((ms) => ms / 1000), [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300]);
    back();
    await world.carry();
    const run = await world.run(id);
    assert.deepEqual([run.status, run.error, run.counts.created], ["succeeded", null, 30]);
  }, { onServer: true }));

test("while a run pauses, those behind it do not overtake it", () =>
  importing(async (world) => {
    const first = await world.handIn(FILE);
    serverOf(world).fail("dropped", { when: ({ texts }) => texts.some((text) => /change_pages/.test(text)), times: 3 });
    await once(world).catch(() => {});
    const second = await world.handIn(csv(HEADER, ...crowd(29)));
    assert.equal(await once(world), null);
    world.later(HOUR_MS);
    await world.carry({ rethrow: false });
    assert.deepEqual(
      [(await world.run(first)).status, (await world.run(second)).status].sort(),
      [
        "succeeded",
        "superseded",
      ].sort(),
    );
  }, { onServer: true }));

test("a request whose answer from the database is lost is not done again for the same Idempotency-Key", () =>
  importing(async (world) => {
    const make = (key: string) =>
      world.ask("/v1/tokens", {
        json: { name: "monitor", scopes: ["runs:read"] },
        headers: { "idempotency-key": key },
      });
    const count = async () => (await (await world.ask("/v1/tokens")).json()).data.length;
    const before = await count();
    serverOf(world).fail("lost", { when: ({ texts }) => texts.some((text) => /insert into "tokens"/i.test(text)) });
    const lost = await make("one");
    assert.equal(lost.status, 503);
    assert.match((await lost.json()).detail, /may have been done: look before you send it again/);
    const again = await make("one");
    assert.deepEqual([again.status, (await again.json()).code], [409, "conflict"]);
    assert.equal(await count(), before + 1);
    // What was certainly not done may be sent again.
    serverOf(world).fail("refused_token", {
      when: ({ texts }) => texts.some((text) => /insert into "tokens"/i.test(text)),
    });
    const refused = await make("two");
    assert.match((await refused.json()).detail, /nothing was done; retry later/);
    assert.equal((await make("two")).status, 201);
    assert.equal(await count(), before + 2);
  }, { onServer: true }));

test("/readyz says what is wrong with the database", () =>
  importing(async (world) => {
    assert.equal((await world.ask("/readyz")).status, 200);
    serverOf(world).fail("refused_token");
    const answer = await world.ask("/readyz");
    assert.equal(answer.status, 503);
    assert.match(
      (await answer.json()).detail,
      /^The database at 127\.0\.0\.1:\d+ refused the token: correct DATABASE_AUTH_TOKEN$/,
    );
  }, { onServer: true }));
