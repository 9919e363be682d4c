import assert from "node:assert/strict";
import { test } from "node:test";
import { createRegistry } from "../../src/door/registry.ts";
import type { Connector } from "../../src/connector.ts";
import { type Importing, importing, said } from "../support/imports.ts";
import { loopback } from "../support/receiver.ts";
import { paged, type Source, startSource } from "../support/source.ts";

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
    const again = await world.sync("hr");
    assert.deepEqual([again.status, again.counts.unchanged, again.changes], ["succeeded", 5, []]);
  }));

test("what was read is the run's drop, as records that could be handed in", () =>
  withSource(async (world) => {
    const run = await world.sync("hr");
    assert.match(run.drop!.name, /^hr-\d{4}-\d\d-\d\dT[\d-]+\.ndjson$/);
    const content = await (await world.ask(`/v1/drops/${run.drop!.id}/content`)).text();
    assert.deepEqual(content.trim().split("\n").map((line) => JSON.parse(line)), PEOPLE);
  }));

test("a row that cannot be used has no line, but says where it was read", () =>
  withSource(async (world, source) => {
    source.people[3]!.mail = "di@";
    const run = await world.sync("hr");
    assert.equal(run.status, "partial");
    assert.deepEqual(said(run), ["- email_invalid"]);
    const [header, row, ...rest] = (await world.failures(run)).trim().split(/\r?\n/);
    assert.match(header!, /^\uFEFF?id,mail,first,last,job,boss,_line/);
    assert.match(row!, /^'?4,di@,.*\/people\?after=2,error,email_invalid/);
    assert.deepEqual(rest, []);
  }));
