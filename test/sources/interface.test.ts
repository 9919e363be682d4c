/** What version 1 of the connector interface promises those who write connectors. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SourceFault, unchanged } from "../../src/connector.ts";
import { runFetcher } from "../../src/sources/fetcher.ts";
import { fetching, giving, PEOPLE, type Written } from "../support/fetching.ts";
import { said } from "../support/imports.ts";

const DEPARTMENTS = [{ name: "Office", parent: "" }, { name: "Finance", parent: "Office" }];

test("a source of departments and people is read in two runs, departments first", () => {
  const asked: string[] = [];
  return fetching({
    coverage: { users: "full", departments: "full" },
    async *fetch({ entity, checkpoint }) {
      asked.push(entity);
      yield { origin: entity, records: entity === "users" ? PEOPLE : DEPARTMENTS };
      await checkpoint.save({ of: entity });
      asked.push(JSON.stringify(checkpoint.last));
    },
  }, async (world) => {
    const [departments, users, ...rest] = await world.fetchNow();
    assert.deepEqual(rest, []);
    assert.deepEqual([departments!.entity, departments!.status, departments!.counts.departments_created], [
      "departments",
      "succeeded",
      2,
    ]);
    assert.deepEqual([users!.entity, users!.status, users!.counts.created], ["users", "succeeded", 3]);
    assert.deepEqual((await world.departments()).map(({ name, parent }) => [name, parent]), [
      ["Office", null],
      ["Finance", "Office"],
    ]);
    await world.fetchNow();
    assert.deepEqual(asked, [
      "departments",
      "null",
      "users",
      "null",
      "departments",
      '{"of":"departments"}',
      "users",
      '{"of":"users"}',
    ]);
  });
});

test("departments that cannot be read do not keep the people from being read, and stay a failure until they can", () => {
  const source = { hasDepartments: false };
  return fetching({
    coverage: { users: "full", departments: "full" },
    async *fetch({ entity }) {
      if (entity === "departments" && !source.hasDepartments) {
        throw new SourceFault("answer", "There is no list of departments");
      }
      yield { origin: entity, records: entity === "users" ? PEOPLE : DEPARTMENTS };
    },
  }, async (world) => {
    const state = async () => {
      const { state, failures_in_a_row } = await (await world.ask("/v1/connections/hr")).json();
      return [state, failures_in_a_row];
    };
    for (const failures of [1, 2, 3]) {
      const runs = await world.fetchNow();
      assert.deepEqual([runs[0]!.entity, runs[0]!.status], ["departments", "failed"]);
      assert.deepEqual([runs[1]!.entity, runs[1]!.error], ["users", null]);
      assert.equal((await state())[1], failures);
    }
    assert.deepEqual(await state(), ["error", 3]);
    source.hasDepartments = true;
    await world.fetchNow();
    assert.deepEqual(await state(), ["ok", 0]);
  });
});

test("rows that normalize fails on are issues of those rows, and the others go on", () =>
  fetching({
    fetch: giving([...PEOPLE, { id: "4", mail: "di@acme.test", first: "Di", last: "Roth" }]),
    normalize({ cells: [id, email, first_name, last_name] }, { settings }) {
      if (id === "1") throw new TypeError(`${email} is not a function`);
      if (id === "2") return null as never;
      if (id === "3") return Promise.resolve({}) as never;
      return { source_id: id, email, first_name, last_name, title: settings.host, shoe_size: "44" };
    },
  }, async (world) => {
    const [run] = await world.fetchNow();
    assert.deepEqual([run!.status, run!.counts.created, run!.counts.failed], ["partial", 1, 3]);
    const messages = run!.issues.map(({ code, message }) => `${code}: ${message}`).join("\n");
    assert.match(
      messages,
      /connector_row_failed: .*"Written by others" could not read this row: it fails with TypeError/,
    );
    assert.match(messages, /it gives nothing instead of a record/);
    for (const { suggestion } of run!.issues) assert.match(suggestion, /people who maintain the connector/);
    assert.match(messages, /it gives a promise instead of a record/);
    assert.match(messages, /connector_field_unknown: .*gives the field "shoe_size", which the hub does not have/);
    assert.equal(run!.issues.filter(({ code }) => code === "connector_field_unknown").length, 1);
    assert.equal((await world.person("di@acme.test")).title, "127.0.0.1:1", "it sees the settings");
    assert.doesNotMatch(JSON.stringify([run!.issues.map(({ message }) => message), world.hub.lines]), /ana@acme/);
    const line = world.hub.lines.find(({ event }) => event === "connector.row_failed");
    assert.match(String(line?.details.at), /^interface\.test\.ts:\d+:\d+$/);
  }));

test("a source that has not changed is a success, and its last rows are planned again", () => {
  const lasts: unknown[] = [];
  return fetching({
    async *fetch({ checkpoint }) {
      lasts.push(checkpoint.last);
      if (checkpoint.last !== null) return unchanged("it answered 304");
      yield { origin: null, records: PEOPLE };
      await checkpoint.save({ etag: "one" });
    },
  }, async (world) => {
    const [first] = await world.fetchNow();
    const [again] = await world.fetchNow();
    assert.deepEqual([again!.status, again!.complete, again!.counts.unchanged], ["succeeded", true, 3]);
    assert.equal(again!.note, "The source reported that nothing has changed: it answered 304");
    assert.deepEqual([first!.note, again!.drop!.id], [null, first!.drop!.id]);
    const ana = await world.person("ana@acme.test");
    await world.edit(ana, { title: "Boss" });
    const [third] = await world.fetchNow();
    assert.deepEqual(
      [third!.counts.updated, (await world.person("ana@acme.test")).title],
      [1, "Lead"],
      "it counts again",
    );
    assert.deepEqual(lasts, [null, { etag: "one" }, { etag: "one" }]);
    await world.set("hr", { mapping: { job: null } });
    await world.fetchNow();
    assert.equal(lasts.at(-1), null, "after a change of the mapping the rows have another meaning");
  });
});

test("a source whose last rows are gone is read anew: there is nothing that could be unchanged", () => {
  const lasts: unknown[] = [];
  return fetching({
    async *fetch({ checkpoint }) {
      lasts.push(checkpoint.last);
      yield { origin: null, records: PEOPLE };
      await checkpoint.save({ etag: "one" });
    },
  }, async (world) => {
    await world.fetchNow();
    world.later(31 * 24 * 3_600_000);
    await world.tick();
    await world.fetchNow();
    assert.deepEqual(lasts, [null, null]);
    world.write({
      // deno-lint-ignore require-yield
      async *fetch() {
        return unchanged("because");
      },
      coverage: { departments: "full" },
    });
    const [run] = await world.fetchNow();
    assert.equal(run!.error?.code, "connector_failed");
    assert.match(run!.error!.message, /it returns "unchanged", but there was no last fetch/);
  });
});

test("a source that gives fewer or more records than it says was not read to its end", () => {
  const reading = (total: number): Written => ({
    async *fetch({ expectTotal }) {
      expectTotal(total);
      yield { origin: null, records: PEOPLE };
    },
  });
  return fetching(reading(3), async (world) => {
    assert.deepEqual((await world.fetchNow()).map(({ status, complete }) => [status, complete]), [["succeeded", true]]);
    for (const total of [4, 2]) {
      world.write(reading(total));
      const [run] = await world.fetchNow();
      assert.deepEqual([run!.status, run!.complete, run!.error?.code], ["partial", false, "source_unreadable"]);
      assert.equal(run!.error!.message, `The source says that it has ${total} records, and gave 3`);
    }
  });
});

test("the same page twice does no harm, and other content under the same key is still a duplicate", () =>
  fetching({
    async *fetch({ expectTotal }) {
      yield { origin: "page 1", records: PEOPLE.slice(0, 2) };
      yield { origin: "page 1 again", records: PEOPLE.slice(0, 2) };
      yield { origin: "page 2", records: PEOPLE.slice(2) };
      expectTotal(3);
    },
  }, async (world) => {
    const [run] = await world.fetchNow();
    assert.deepEqual([run!.status, run!.counts.read, run!.counts.created], ["succeeded", 3, 3]);
    assert.deepEqual(run!.issues.map(({ message }) => message), [
      "The source gave 2 records again, with the same content; they count once",
    ]);
    world.write({ fetch: giving([...PEOPLE, { ...PEOPLE[0], job: "Cook" }]) });
    const [second] = await world.fetchNow();
    assert.deepEqual([second!.status, said(second!)], ["partial", ["- duplicate_in_input", "- duplicate_in_input"]]);
  }));

test("an error of the connector's own is said as that, with its place, and is not tried again soon", () => {
  // deno-lint-ignore no-explicit-any
  const circle: any = { id: "1" };
  circle.self = circle;
  const records = PEOPLE as never[];
  const errors: [parts: object, why: RegExp][] = [
    [{ fetch: () => 5 }, /its fetch is no async generator/],
    [{ fetch: () => [PEOPLE] }, /its fetch is no async generator/],
    [{ fetch: giving([circle]) }, /record 1 cannot be written as JSON/],
    [{ fetch: giving([{ id: 1n }]) }, /record 1 cannot be written as JSON/],
    [{ fetch: giving([5 as never]) }, /record 1 is no object/],
    [{
      fetch: async function* () {
        yield { origin: 5, records };
      },
    }, /the origin of record 1 is no text/],
    [{
      fetch: async function* () {
        yield records;
      },
    }, /yields something that has no "records"/],
    [{
      fetch: async function* () {
        await Promise.resolve();
        null!["x"];
        yield {};
      },
    }, /\(TypeError at interface\.test/],
    [{
      hosts: () => {
        throw new Error("ana@acme.test");
      },
    }, /"hosts" of the connector "written" throws \(Error\)/],
  ];
  return fetching({}, async (world) => {
    for (const [parts, why] of errors) {
      world.write({ fetch: giving(PEOPLE), hosts: () => [], ...parts } as Written);
      const [run] = await world.fetchNow();
      assert.deepEqual([run!.status, run!.error?.code], ["failed", "connector_failed"], String(why));
      assert.match(run!.error!.message, why);
      assert.match(run!.issues[0]!.suggestion, /^Ask the people who maintain the connector/);
    }
    const { failures } = await (await world.ask("/v1/connections/hr")).json();
    assert.deepEqual([failures.connector, failures.answer], [errors.length, 0]);
    world.write({
      hosts: () => [],
      // deno-lint-ignore require-yield
      async *fetch() {
        JSON.parse("<html>");
      },
    });
    assert.equal(
      (await world.fetchNow())[0]!.error?.code,
      "source_unreadable",
      "an answer that is no JSON is not its error",
    );
    world.write({ check: () => Promise.resolve(null as never) });
    const { body } = await world.post("/v1/connections/hr/check", {});
    assert.deepEqual([body.ok, body.code], [false, "connector_failed"]);
    assert.doesNotMatch(JSON.stringify(world.hub.lines), /ana@acme/);
  });
});

test("a connection's secret is in no origin, no row and no warning, whatever a source echoes", () => {
  const key = 'the "quoted" key';
  return fetching({
    secrets: { api_key: { title: "API key" } },
    auth: () => ({ kind: "bearer", token: { secret: "api_key" } }),
    async *fetch({ warn }) {
      warn({ code: "source_changed", field: null, message: `Key ${key}`, suggestion: "" });
      yield { origin: `/people?token=${key}`, records: [...PEOPLE, { ...PEOPLE[0]!, id: "9", mail: "no", job: key }] };
    },
  }, async (world) => {
    const [run] = await world.fetchNow();
    assert.equal(run!.status, "partial");
    const content = await (await world.ask(`/v1/drops/${run!.drop!.id}/content`)).text();
    const all = JSON.stringify([run, content, await world.failures(run!)]);
    assert.doesNotMatch(all, /quoted/);
    assert.match(await world.failures(run!), /\/people\?token=…/);
  }, { secrets: { api_key: key } });
});

test("a fetched file is read like one that is sent: dialects, encodings, JSON, packed", () => {
  const header = "id;mail;first;last;job";
  const csv = [
    header,
    ...PEOPLE.map(({ id, mail, first, last, job }) => [id, mail, first, last, `${job} ä`].join(";")),
  ];
  const latin = Uint8Array.from(csv.join("\r\n"), (letter) => letter.charCodeAt(0));
  const json = JSON.stringify({ users: PEOPLE.map((person) => ({ ...person, job: `${person.job} ä` })) });
  const bodies: (() => [body: Response | ReadableStream<Uint8Array>, as?: { contentType?: string; name?: string }])[] =
    [
      () => [new Response(latin, { headers: { "content-type": "text/csv; charset=windows-1252" } })],
      () => [new Blob([latin]).stream(), { contentType: "text/csv; charset=iso-8859-1", name: "people.csv" }],
      () => [new Response(json)],
      () => [new Blob([json]).stream().pipeThrough(new CompressionStream("gzip")), { name: "people.json.gz" }],
    ];
  return fetching({}, async (world) => {
    for (const [i, body] of bodies.entries()) {
      world.write({ fetch: ({ read }) => read(...body()) });
      const [run] = await world.fetchNow();
      assert.deepEqual([run!.status, run!.counts.read], ["succeeded", 3], `body ${i}: ${JSON.stringify(run!.error)}`);
      assert.equal((await world.person("ana@acme.test")).title, "Lead ä");
    }
    world.write({ fetch: ({ read }) => read(new Response("id,mail\n9,x@acme.test\n8"), { name: "feed.csv" }) });
    const [cut] = await world.fetchNow();
    assert.deepEqual([cut!.complete, cut!.error?.code], [false, "input_incomplete"]);
    assert.match(cut!.error!.message, /The input ends on line 3, after 1 of 2 cells/);
  });
});

test("a secret that a new version of the connector does not have any more is shown, and can be cleared", () =>
  fetching({ secrets: { api_key: { title: "API key" } } }, async (world) => {
    world.write({ secrets: { token: { title: "Token" } }, version: "2.0.0" });
    const shown = async () => (await (await world.ask("/v1/connections/hr")).json()).secrets;
    assert.deepEqual([(await shown()).api_key.set, (await shown()).token.set], [true, false]);
    const refused = await world.ask("/v1/connections/hr", { method: "PATCH", json: { secrets: { api_key: "new" } } });
    assert.equal(refused.status, 400, "it cannot be set");
    await world.set("hr", { secrets: { api_key: null, token: "new-token" } });
    assert.deepEqual(Object.keys(await shown()), ["token"]);
  }, { secrets: { api_key: "old-key" } }));

test("a source whose certificate is for another name is asked once, not again and again", () => {
  let asked = 0;
  return fetching({
    // deno-lint-ignore require-yield
    async *fetch({ fetch }) {
      await fetch("http://127.0.0.1:1/people");
    },
  }, async (world) => {
    const outbound = Object.assign(() => {
      asked++;
      return Promise.reject(
        Object.assign(new Error("Hostname does not match"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" }),
      );
    }, { refusal: () => null });
    const { body } = await world.post("/v1/connections/hr/runs");
    await world.fetch({ ...world.hub, outbound });
    await world.carry();
    const run = await world.run(body.run.id);
    assert.equal(run.error?.code, "source_unreachable");
    assert.match(run.error!.message, /certificate of the source at "127\.0\.0\.1:1" is not good for it \(ERR_TLS/);
    assert.equal(asked, 1);
  });
});

test("a read waits after each page for as long as its thread wants, before it asks for the next one", () => {
  const happened: string[] = [];
  const pages = async function* () {
    for (const n of [0, 1]) {
      happened.push(`page ${n}`);
      yield { origin: `page ${n}`, records: [PEOPLE[n]!] };
    }
  };
  return fetching({ fetch: pages }, async (world) => {
    await world.post("/v1/connections/hr/runs");
    const step = async () => {
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve));
      happened.push("waited");
    };
    await runFetcher(world.hub, {
      owner: "test",
      signal: new AbortController().signal,
      lookEveryMs: 5,
      untilIdle: true,
      step,
    });
    assert.deepEqual(happened.slice(0, 4), ["page 0", "waited", "page 1", "waited"]);
  });
});
