import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "../../src/runtime/registry.ts";
import { type Connector, defineConnector, SourceFault } from "../../src/connector.ts";
import { runFetcher } from "../../src/sources/fetcher.ts";
import { createOrganization } from "../../src/store/organizations.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { type Importing, importing, said } from "../support/imports.ts";
import { collect } from "../support/memory.ts";
import { loopback } from "../support/receiver.ts";
import { paged, type Source, startSource, type Trouble } from "../support/source.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const PEOPLE = [
  { id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol", job: "Lead", boss: "" },
  { id: "2", mail: "bo@acme.test", first: "Bo", last: "Lund", job: "Engineer", boss: "1" },
  { id: "3", mail: "cy@acme.test", first: "Cy", last: "Wang", job: "Engineer", boss: "1" },
  { id: "4", mail: "di@acme.test", first: "Di", last: "Roth", job: "Designer", boss: "2" },
  { id: "5", mail: "ed@acme.test", first: "Ed", last: "Diaz", job: "Designer", boss: "2" },
];

/** A hub with the connection `hr`, which fetches from a source on this machine. */
async function withSource(
  work: (world: Importing, source: Source) => Promise<void>,
  input: Record<string, unknown> = {},
  settings: object = {},
): Promise<void> {
  const source = await startSource(PEOPLE.map((person) => ({ ...person })));
  const registry = new Map([...createRegistry(), ["paged", paged as Connector<never>]]);
  try {
    await importing(async (world) => {
      await world.connect("hr", {
        connector: "paged",
        schedule: null,
        secrets: { api_key: source.key },
        settings: { host: source.host, ...settings },
        ...input,
      });
      await work(world, source);
    }, { registry, outbound: loopback });
  } finally {
    await source.close();
  }
}

test("a source is read to its end, and its people are there, with their managers", () =>
  withSource(async (world, source) => {
    const run = await world.sync("hr");
    assert.equal(run.status, "succeeded", JSON.stringify(run.error));
    assert.equal(run.complete, true);
    assert.deepEqual([run.trigger, run.counts.read, run.counts.created], ["manual", 5, 5]);
    const [ana, ed] = [await world.person("ana@acme.test"), await world.person("ed@acme.test")];
    assert.equal((await world.person("bo@acme.test")).manager?.id, ana.id);
    assert.deepEqual(ed.sources.map(({ source_key }) => source_key), ["5"]);
    assert.deepEqual(source.asked, ["/people?after=0", "/people?after=2", "/people?after=4"]);
    assert.match(run.drop!.name, /^hr-\d{4}-\d\d-\d\dT[\d-]+\.ndjson$/);
    const content = await (await world.ask(`/v1/drops/${run.drop!.id}/content`)).text();
    assert.deepEqual(content.trim().split("\n").map((line) => JSON.parse(line)), PEOPLE, "kept as it was read");
    const again = await world.sync("hr");
    assert.deepEqual([again.status, again.counts.unchanged, again.changes], ["succeeded", 5, []]);
  }));

test("a row that cannot be used has no line, but says where it was read", () =>
  withSource(async (world, source) => {
    source.people[3]!.mail = "di@";
    const run = await world.sync("hr");
    assert.equal(run.status, "partial");
    assert.deepEqual(said(run), ["- email_invalid"]);
    const [header, row, ...rest] = (await world.failures(run)).trim().split(/\r?\n/);
    assert.match(header!, /^\uFEFF?id,mail,first,last,job,boss,_severity,.*,_line$/);
    assert.match(row!, /^'?4,di@,.*,error,email_invalid,.*\/people\?after=2$/);
    assert.deepEqual(rest, []);
  }));

test("trouble that passes changes nothing in the end, whatever it is and wherever it comes", () =>
  withSource(async (world, source) => {
    const later = new Date(world.hub.clock.ms + 30_000).toUTCString();
    const passing: [trouble: Trouble, atLeastMs: number][] = [
      [{ status: 429, headers: { "retry-after": "7" } }, 7_000],
      [{ status: 503, headers: { "retry-after": later } }, 30_000],
      [{ status: 429 }, 800],
      [{ status: 503 }, 800],
      [{ status: 500 }, 800],
      [{ status: 504 }, 800],
      [{ status: 408 }, 800],
      ["drop", 800],
      ["truncate", 800],
    ];
    const undisturbed = (await world.sync("hr", "plan")).drop!.sha256;
    for (const [trouble, atLeastMs] of passing) {
      source.asked.length = 0;
      for (let page = 0; page < 3; page++) source.script.push(trouble, trouble, null);
      const { body } = await world.post("/v1/connections/hr/runs", { mode: "plan" });
      const waits = await world.fetch();
      await world.carry();
      const run = await world.run(body.run.id);
      const name = JSON.stringify(trouble);
      assert.deepEqual([run.status, run.complete, run.counts.created], ["planned", true, 5], name);
      assert.equal(run.drop!.sha256, undisturbed, name);
      assert.deepEqual([source.asked.length, waits.length], [9, 6], name);
      assert.ok(waits.every((ms) => ms >= atLeastMs && ms < Math.max(4_300, atLeastMs + 1)), `${name}: ${waits}`);
    }
  }));

test("a source that cannot be read fails the run, with nothing applied, and is left alone when that is what it wants", () =>
  withSource(async (world, source) => {
    source.script.push(...Array.from({ length: 6 }, () => ({ status: 503 })));
    const run = await world.sync("hr");
    assert.equal(run.status, "failed");
    assert.deepEqual(run.error, {
      code: "source_unreachable",
      message: "The source cannot give people now (503)",
      line: null,
    });
    assert.deepEqual([said(run), run.drop], [["- source_unreachable"], null]);
    assert.equal(source.asked.length, 6);

    source.asked.length = 0;
    source.script.push({ status: 429, headers: { "retry-after": "3600" } });
    assert.equal((await world.sync("hr")).error?.code, "source_unreachable");
    assert.equal(source.asked.length, 1, "an hour is longer than a run waits");

    source.asked.length = 0;
    source.key = "another";
    assert.equal((await world.sync("hr")).error?.code, "source_refused");
    assert.equal(source.asked.length, 1, "wrong credentials are shown once");

    source.key = "the-key-of-the-source";
    source.people = [];
    assert.equal((await world.sync("hr")).error?.code, "input_empty", "nobody is a failure");
    assert.deepEqual(await world.people(), []);
  }));

test("a read that ended early creates and updates, makes nobody missing, and is no baseline", () =>
  withSource(async (world, source) => {
    for (let night = 0; night < 2; night++) {
      assert.equal((await world.sync("hr")).status, "succeeded");
      world.later(86_400_000);
    }
    source.people[0]!.job = "Head";
    source.people.splice(1, 0, { id: "9", mail: "flo@acme.test", first: "Flo", last: "New", job: "", boss: "" });
    for (let night = 0; night < 3; night++) {
      // The second page is all that never comes: Bo, Cy and those behind them are not seen.
      source.script.push(null, ...Array.from({ length: 6 }, () => "drop" as const));
      const run = await world.sync("hr");
      assert.deepEqual([run.status, run.complete, run.counts.missing], ["partial", false, 0]);
      assert.equal(run.error?.code, "source_unreachable");
      assert.deepEqual(said(run), ["- fetch_incomplete"]);
      assert.deepEqual([run.counts.created, run.counts.updated], night === 0 ? [1, 1] : [0, 0]);
      world.later(86_400_000);
    }
    assert.equal((await world.person("ana@acme.test")).title, "Head");
    const people = await world.people();
    assert.equal(people.length, 6);
    assert.ok(people.every(({ status, sources }) => status === "active" && sources[0]!.missing_since === null));
  }, { policy: { missing: "deactivate" } }));

test("who is gone from a source that was read to its end is missing, and deactivated when the grace is over", () =>
  withSource(async (world, source) => {
    await world.sync("hr");
    source.people.pop();
    const statuses = [];
    for (let night = 0; night < 2; night++) {
      world.later(86_400_000);
      assert.equal((await world.sync("hr")).counts.missing, 1);
      statuses.push((await world.person("ed@acme.test")).status);
    }
    assert.deepEqual(statuses, ["active", "inactive"]);
  }, { policy: { missing: "deactivate" } }));

test("one run of a connection at a time; and a plan is of the rows that were read for it", () =>
  withSource(async (world, source) => {
    const first = await world.post("/v1/connections/hr/runs", { mode: "plan" });
    const second = await world.post("/v1/connections/hr/runs");
    assert.equal(second.status, 409);
    assert.match(second.body.detail, new RegExp(first.body.run.id));
    await world.fetch();
    await world.carry();
    const run = await world.run(first.body.run.id);
    assert.deepEqual([run.status, run.counts.created], ["planned", 5]);
    source.people[0]!.first = "Anna";
    await world.post(`/v1/runs/${run.id}/approve`, { plan_hash: run.plan_hash });
    await world.carry();
    assert.equal((await world.person("ana@acme.test")).first_name, "Ana");
    assert.equal(source.asked.length, 3);
  }));

test("a run that is cancelled while its source hangs lets go of it, and keeps nothing of it", () =>
  withSource(async (world, source) => {
    source.script.push(null, "hang");
    const { body } = await world.post("/v1/connections/hr/runs");
    const reading = runFetcher(world.hub, { ...READER, renewEveryMs: 20 });
    await until(() => source.asked.length === 2);
    assert.equal((await world.post(`/v1/runs/${body.run.id}/cancel`)).status, 200);
    await reading;
    await world.carry();
    assert.equal((await world.run(body.run.id)).status, "cancelled");
    const left = await world.hub.db.rows(sql`select 1 from drop_chunks union all select 1 from drops`);
    assert.deepEqual(left, []);
    assert.equal((await world.sync("hr")).status, "succeeded");
  }));

test("a source that hangs keeps no other run waiting", () =>
  withSource(async (world, source) => {
    source.script.push("hang");
    await world.post("/v1/connections/hr/runs");
    const stop = new AbortController();
    const reading = runFetcher(world.hub, { ...READER, signal: stop.signal });
    await until(() => source.asked.length === 1);
    const run = await world.import("employee_id,email,first_name,last_name\n7,gil@acme.test,Gil,Ort\n");
    assert.equal(run.status, "succeeded");
    stop.abort();
    await reading;
  }));

test("however many sources of one organization hang, one of another is read", () =>
  withSource(async (world, source) => {
    const connection = {
      connector: "paged",
      schedule: null,
      secrets: { api_key: source.key },
      settings: { host: source.host },
    };
    for (let n = 0; n < 20; n++) {
      await world.connect(`more-${n}`, connection);
      await world.post(`/v1/connections/more-${n}/runs`);
    }
    source.script.push(...Array(4).fill("hang"));
    const stop = new AbortController();
    const reading = runFetcher(world.hub, { ...READER, signal: stop.signal });
    try {
      await until(() => source.asked.length === 4);
      await createOrganization(world.hub.db, { slug: "other", name: "Other", timezone: "UTC" }, world.hub.clock.ms);
      const stranger = createAsk(world.hub, await createTestToken(world.hub, { organization: "other" }));
      const made = await stranger("/v1/connections", { json: { name: "hr", slug: "hr", ...connection } });
      assert.equal(made.status, 201, await made.text());
      await stranger("/v1/connections/hr/runs", { method: "POST" });
      await until(() => source.asked.length === 4 + PAGES.length);
    } finally {
      stop.abort();
      await reading;
    }
  }));

for (const checkpoints of [false, true]) {
  test(`a reader that dies is followed by another, ${checkpoints ? "behind its checkpoint" : "from the beginning"}`, () =>
    withSource(
      async (world, source) => {
        source.script.push(null, null, "hang");
        const { body } = await world.post("/v1/connections/hr/runs");
        const stop = new AbortController();
        // What it writes after its death is never written: its lease is all that is left of it.
        let dead = false;
        const dying = {
          ...world.hub,
          db: {
            ...world.hub.db,
            write: (statements: Parameters<typeof world.hub.db.write>[0]) =>
              dead ? Promise.reject(new Error("dead")) : world.hub.db.write(statements),
          },
        };
        const reading = runFetcher(dying, { ...READER, owner: "dying", signal: stop.signal }).catch(() => {});
        await until(() => source.asked.length === 3);
        dead = true;
        stop.abort();
        await reading;
        await world.fetch();
        assert.equal(source.asked.length, 3, "the lease still stands");
        world.later(61_000);
        await world.fetch();
        await world.carry();
        const run = await world.run(body.run.id);
        assert.deepEqual([run.status, run.complete, run.counts.read, run.counts.created], ["succeeded", true, 5, 5]);
        assert.deepEqual(source.asked.slice(3), checkpoints ? ["/people?after=4"] : PAGES);
        const content = await (await world.ask(`/v1/drops/${run.drop!.id}/content`)).text();
        assert.deepEqual(content.trim().split("\n").map((line) => JSON.parse(line).id), ["1", "2", "3", "4", "5"]);
      },
      {},
      { checkpoints },
    ));
}

test("a fetch whose reader comes back days later begins anew", () =>
  withSource(
    async (world, source) => {
      source.script.push(null, "hang");
      const { body } = await world.post("/v1/connections/hr/runs");
      const stop = new AbortController();
      const reading = runFetcher(world.hub, { ...READER, signal: stop.signal });
      await until(() => source.asked.length === 2);
      stop.abort();
      await reading;
      world.later(3 * 86_400_000);
      await world.tick();
      await world.fetch();
      await world.carry();
      const run = await world.run(body.run.id);
      assert.deepEqual([run.status, run.counts.created], ["succeeded", 5]);
      assert.deepEqual(source.asked.slice(2), PAGES);
    },
    {},
    { checkpoints: true },
  ));

test("a person who is erased is not in what was fetched any more, and not while it is being fetched", {
  skip: onlyInCheckOnDeno,
}, () =>
  withSource(async (world, source) => {
    const run = await world.sync("hr");
    const ana = await world.person("ana@acme.test");
    source.script.push(null, "hang");
    const { body } = await world.post("/v1/connections/hr/runs");
    const stop = new AbortController();
    const reading = runFetcher(world.hub, { ...READER, signal: stop.signal });
    await until(() => source.asked.length === 5);
    assert.equal((await world.post(`/v1/users/${ana.id}/erase`)).status, 409);
    await world.post(`/v1/runs/${body.run.id}/cancel`);
    stop.abort();
    await reading;
    assert.equal((await world.post(`/v1/users/${ana.id}/erase`)).status, 200);
    assert.equal((await world.ask(`/v1/drops/${run.drop!.id}/content`)).status, 404);
  }));

test("a connector gets at its own hosts alone, with the credentials on nothing else", () =>
  withSource(async (world, source) => {
    const elsewhere = await startSource(PEOPLE);
    try {
      const answers: unknown[] = [];
      const curious = defineConnector({
        ...paged,
        async *fetch({ fetch, settings }) {
          for (
            const url of [`http://${elsewhere.host}/people`, "https://example.com/", "file:///etc/passwd", "nonsense"]
          ) {
            await fetch(url).catch((error) => answers.push(error.message));
          }
          const own = await fetch(`http://${settings.host}/people`, { headers: { authorization: "Basic forged" } });
          answers.push(own.status);
          yield { origin: null, records: PEOPLE };
        },
      });
      const registry = new Map([...world.hub.registry, ["paged", curious as Connector<never>]]);
      await world.post("/v1/connections/hr/runs");
      await world.fetch({ ...world.hub, registry });
      assert.deepEqual(answers, [
        `"${elsewhere.host}" is not one of the hosts that the connector may ask`,
        '"example.com" is not one of the hosts that the connector may ask',
        '"" is not one of the hosts that the connector may ask',
        "The connector asks for something that is not a URL",
        200,
      ]);
      assert.deepEqual([elsewhere.asked, source.shown], [[], [`Bearer ${source.key}`]]);
    } finally {
      await elsewhere.close();
    }
  }));

test("no secret comes into the log, the run or the report, whatever a connector says", () =>
  withSource(async (world, source) => {
    const careless = defineConnector({
      ...paged,
      async *fetch({ log, fetch, settings, warn }) {
        source.key = "changed";
        const answer = await fetch(`http://${settings.host}/people`);
        const text = await answer.text();
        log(text);
        warn({ code: "source_changed", field: null, message: text, suggestion: text });
        yield { origin: "here", records: [{ ...PEOPLE[0] }] };
        throw new SourceFault("answer", text);
      },
    });
    const registry = new Map([...world.hub.registry, ["paged", careless as Connector<never>]]);
    const { body } = await world.post("/v1/connections/hr/runs");
    const as = { ...world.hub, registry };
    await world.fetch(as);
    await world.carry({}, as);
    const run = await world.run(body.run.id);
    assert.equal(run.error?.message, "No such key: Bearer …");
    assert.deepEqual(said(run), ["- source_changed", "- fetch_incomplete"]);
    assert.doesNotMatch(JSON.stringify([run, world.hub.lines, await world.failures(run)]), /the-key-of/);
  }));

test("what a connector stumbles over is not quoted: it may be somebody's", () =>
  withSource(async (world) => {
    const broken = defineConnector({
      ...paged,
      // deno-lint-ignore require-yield
      async *fetch() {
        throw new TypeError("ana@acme.test is not a function");
      },
    });
    const registry = new Map([...world.hub.registry, ["paged", broken as Connector<never>]]);
    const { body } = await world.post("/v1/connections/hr/runs");
    const as = { ...world.hub, registry };
    await world.fetch(as);
    await world.carry({}, as);
    const run = await world.run(body.run.id);
    assert.equal(run.error?.code, "connector_failed");
    assert.match(
      run.error!.message,
      /"Pages of people" has an error of its own \(TypeError at fetch\.test\.ts:\d+:\d+\)/,
    );
    assert.doesNotMatch(JSON.stringify([run, world.hub.lines]), /ana@/);
    const line = world.hub.lines.find(({ event }) => event === "fetch.failed");
    assert.match(String(line?.details.at), /^fetch\.test\.ts:\d+:\d+$/, "but where it stumbled is said");
  }));

test("a read that begins anew forgets what it had, and a source that tells what has changed is asked since when", () =>
  withSource(async (world) => {
    const lasts: unknown[] = [];
    let tries = 0;
    const changing = defineConnector({
      ...paged,
      coverage: { users: "diff" },
      async *fetch({ checkpoint, startOver }) {
        lasts.push(checkpoint.last);
        yield {
          origin: "half",
          records: [PEOPLE[0]!, { id: "66", mail: "gone@acme.test", first: "Gone", last: "Soon" }],
        };
        await checkpoint.save({ since: `wrong ${tries}` });
        if (++tries === 1) await startOver();
        else if (tries === 3) throw new SourceFault("connection", "It broke off");
        yield { origin: "whole", records: PEOPLE };
        await checkpoint.save({ since: tries });
      },
    });
    const registry = new Map([...world.hub.registry, ["paged", changing as Connector<never>]]);
    const as = { ...world.hub, registry };
    const sync = async () => {
      const { body } = await world.post("/v1/connections/hr/runs");
      await world.fetch(as);
      await world.carry({}, as);
      return await world.run(body.run.id);
    };
    const first = await sync();
    assert.deepEqual([first.status, first.counts.read], ["succeeded", 5]);
    assert.deepEqual((await world.people()).map(({ email }) => email).includes("gone@acme.test"), false);
    await sync();
    assert.equal((await sync()).status, "partial");
    await sync();
    await world.set("hr", { mapping: { job: null } });
    await sync();
    assert.deepEqual(
      lasts,
      [null, { since: 1 }, { since: 2 }, { since: 2 }, null],
      "other rows may matter from now on",
    );
  }));

test("of a read nobody holds more than a few pages, however many there are", async () => {
  const PAGES = 40, PEOPLE_OF_PAGE = 100;
  const given: WeakRef<object>[] = [];
  const held: number[] = [];
  const crowd = defineConnector({
    ...(paged as Connector<never>),
    name: "crowd",
    async *fetch() {
      for (let page = 0; page < PAGES; page++) {
        const records = Array.from({ length: PEOPLE_OF_PAGE }, (_, n) => {
          const id = String(page * PEOPLE_OF_PAGE + n);
          return {
            id,
            mail: `p${id}@acme.test`,
            first: `First ${id}`,
            last: `Last ${id}`,
            job: "Engineer ".repeat(20),
          };
        });
        given.push(new WeakRef(records));
        yield { origin: `page ${page + 1}`, records };
        // A page that is still spoken of in this turn is not let go of in it.
        await new Promise((resolve) => setTimeout(resolve));
      }
      collect();
      held.push(given.filter((page) => page.deref() !== undefined).length);
    },
  });
  const registry = new Map([...createRegistry(), ["crowd", crowd as Connector<never>]]);
  await importing(async (world) => {
    await world.connect("hr", {
      connector: "crowd",
      schedule: null,
      secrets: { api_key: "the-key-of-the-source" },
      settings: { host: "127.0.0.1:9" },
    });
    await world.post("/v1/connections/hr/runs", { mode: "plan" });
    await world.fetch();
  }, { registry, outbound: loopback });
  assert.ok(held[0]! <= 3, `${held[0]} of ${PAGES} pages are held`);
});

test("a column that the mapping does not want is not processed, and not a word is said of it", () =>
  withSource(async (world) => {
    const run = await world.sync("hr");
    assert.deepEqual([run.status, said(run)], ["succeeded", []]);
    const ana = await world.person("ana@acme.test");
    assert.deepEqual([ana.first_name, ana.title], ["Ana", null]);
  }, { mapping: { job: null, Last: "last_name" } }));

const PAGES = ["/people?after=0", "/people?after=2", "/people?after=4"];
const READER = {
  owner: "test",
  lookEveryMs: 5,
  untilIdle: true,
  signal: new AbortController().signal,
  wait: () => Promise.resolve(),
};

async function until(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !holds();) {
    if (Date.now() > end) throw new Error("It did not come to that within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
