/** A connector is tried without a hub: by the hub's own pipeline, on a database that is gone afterwards. */
import assert from "node:assert/strict";
import test from "node:test";
import { z } from "zod";
import { defineConnector, SourceFault, unchanged } from "../../src/connector.ts";
import type { Installed } from "../../src/hub.ts";
import { openTrial, type TrialOptions } from "../../src/kit/trial.ts";
import { loadRegistry } from "../../src/runtime/third-party.ts";
import csvUpload from "../../connectors/csv-upload.ts";
import { nowhere } from "../support/nowhere.ts";
import { loopback } from "../support/receiver.ts";
import { paged, type Source, startSource } from "../support/source.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";

const PEOPLE = [
  { id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol", job: "Lead", boss: null },
  { id: "2", mail: "bo@acme.test", first: "Bo", last: "Lund", job: "Engineer", boss: "1" },
  { id: "3", mail: "no address", first: "Cy", last: "Wang", job: "Engineer", boss: "1" },
];

/** In a child of its own, as connectors of others run. */
const loadPaged = async () =>
  (await loadRegistry(
    [new URL("../support/source.ts", import.meta.url).href],
    new URL("./", import.meta.url).href,
  )).get("paged")!;

async function withSource(work: (source: Source, options: TrialOptions) => Promise<void>): Promise<void> {
  const source = await startSource(PEOPLE);
  try {
    await work(source, {
      connector: paged as unknown as Installed,
      settings: { host: source.host, checkpoints: true },
      secrets: { api_key: source.key },
      outbound: loopback,
      wait: () => Promise.resolve(),
    });
  } finally {
    await source.close();
  }
}

const giving = (parts: Partial<Installed>): Installed =>
  ({
    ...defineConnector({
      api: 1,
      name: "written",
      version: "1.0.0",
      title: "Written",
      coverage: { users: "full" },
      input: "fetch",
      settings: z.strictObject({}),
      mapping: { id: "source_id", mail: "email", first: "first_name", last: "last_name" },
      key: "source_id",
      async *fetch() {},
    }),
    ...parts,
  }) as unknown as Installed;

test("a dry run shows people, issues with their origin, requests and the saved state, and applies nothing", {
  skip: onlyInCheckOnDeno,
}, () =>
  withSource(async (source, options) => {
    const trial = await openTrial({ ...options, connector: await loadPaged() });
    try {
      const run = await trial.run({ mode: "plan" });
      assert.equal(run.status, "planned");
      assert.equal(run.error, null);
      assert.deepEqual([run.counts.created, run.counts.failed], [2, 1]);
      assert.deepEqual(run.changes[0]!.fields.email, { before: null, after: "ana@acme.test" });
      assert.deepEqual(
        run.issues.map(({ code, field, line, origin }) => ({ code, field, line, origin })).filter(({ field }) =>
          field === "email"
        ),
        [{ code: "email_invalid", field: "email", line: null, origin: "/people?after=2" }],
      );
      assert.deepEqual(
        run.requests,
        [0, 2].map((after) => ({
          method: "GET",
          url: `http://${source.host}/people?after=${after}`,
          status: 200,
        })),
      );
      assert.deepEqual(run.states, { users: { after: 2 } });
      assert.deepEqual(run.records.map(({ record }) => record.id), ["1", "2", "3"]);
      assert.ok(!JSON.stringify(run).includes(source.key));
      assert.equal((await trial.run({ mode: "plan" })).counts.created, 2);
    } finally {
      trial.close();
    }
  }));

test("after a run that is applied, the next one shows what changed", () =>
  withSource(async (source, options) => {
    const trial = await openTrial(options);
    try {
      assert.equal((await trial.run({ mode: "auto" })).counts.created, 2);
      source.people = PEOPLE.map((each) => each.id === "2" ? { ...each, job: "Director" } : each);
      const { changes, counts } = await trial.run({ mode: "auto" });
      assert.equal(counts.updated, 1);
      assert.deepEqual(changes.map(({ fields }) => fields), [{ title: { before: "Engineer", after: "Director" } }]);
    } finally {
      trial.close();
    }
  }));

test("a limit reads no more of the source than it needs", () =>
  withSource(async (source, options) => {
    const trial = await openTrial(options);
    try {
      const run = await trial.run({ mode: "plan", limit: 1 });
      assert.deepEqual([run.counts.read, run.cut, source.asked.length], [1, true, 1]);
    } finally {
      trial.close();
    }
  }));

test("a source that fails, and wrong secrets, are told as a hub tells them", () =>
  withSource(async (source, options) => {
    source.script.push(...Array.from({ length: 6 }, () => ({ status: 503 })));
    const trial = await openTrial(options);
    try {
      const run = await trial.run({ mode: "plan" });
      assert.deepEqual([run.status, run.error?.code], ["failed", "source_unreachable"]);
      source.key = "another key of the source";
      assert.equal((await trial.run({ mode: "plan" })).error?.code, "source_refused");
    } finally {
      trial.close();
    }
  }));

test("what does not fit is refused with its place", () =>
  withSource(async (_, options) => {
    await assert.rejects(openTrial({ ...options, settings: {} }), /\/settings\/host/);
    await assert.rejects(openTrial({ ...options, secrets: { wrong: "x" } }), /\/secrets\/wrong.*\n*.*api_key/);
    const trial = await openTrial(options);
    try {
      await assert.rejects(trial.run({ mode: "plan", entity: "departments" }), /brings no departments/);
      await assert.rejects(trial.run({ mode: "plan", limit: 0 }), /limit is 0/);
    } finally {
      trial.close();
    }
  }));

test("a connector is told of an earlier read, and may say that nothing is new", async () => {
  const connector = giving({
    // deno-lint-ignore require-yield
    async *fetch({ checkpoint }) {
      if ((checkpoint.last as { etag: string } | null)?.etag === "a") return unchanged("it answered 304");
      throw new SourceFault("answer", `it got ${JSON.stringify(checkpoint.last)}`);
    },
  });
  const trial = await openTrial({ connector, outbound: nowhere });
  try {
    const run = await trial.run({ mode: "plan", last: { etag: "a" } });
    assert.deepEqual([run.status, run.unchanged, run.error], ["skipped", "it answered 304", null]);
    assert.match((await trial.run({ mode: "plan" })).error!.message, /it got null/);
  } finally {
    trial.close();
  }
});

test("a connector that brings departments and people is tried with both, and one that takes files with a file", async () => {
  const connector = giving({
    coverage: { users: "full", departments: "full" },
    async *fetch({ entity, log }) {
      log(`reading ${entity}`);
      yield entity === "users"
        ? { origin: "people", records: [{ id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol" }] }
        : { origin: "units", records: [{ name: "Sales" }] };
    },
  });
  const trial = await openTrial({ connector, outbound: nowhere });
  try {
    const run = await trial.run({ mode: "auto" });
    assert.deepEqual(run.log, ["reading departments", "reading users"]);
    assert.deepEqual(run.changes.map(({ entity }) => entity), ["department", "user"]);
  } finally {
    trial.close();
  }
  const files = await openTrial({ connector: csvUpload as unknown as Installed, outbound: nowhere });
  try {
    await assert.rejects(files.run({ mode: "plan" }), /takes files/);
    const content = "employee_id,email,first_name,last_name\n1,ana@acme.test,Ana,Sol\n";
    const run = await files.run({ mode: "plan", drop: { name: "a.csv", contentType: "text/csv", content } });
    assert.equal(run.counts.created, 1);
  } finally {
    files.close();
  }
});
