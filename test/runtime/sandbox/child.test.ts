/** A stranger's connector in a process of its own: what it can say, and how it ends when it goes wrong. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { ConnectorFault } from "../../../src/runtime/sandbox/faults.ts";
import { onlyInCheck } from "../../support/rounds.ts";
import { connectorCode, fetchAll, fetching, withChild } from "../../support/stranger.ts";

const failure = (code: string, limits = {}) =>
  withChild(code, (child) => fetchAll(child), { limits }).then(
    () => assert.fail("it did not fail"),
    (error) => {
      assert.ok(error instanceof ConnectorFault, String(error));
      return error;
    },
  );

test("a connector describes itself, reads its settings, and says where its requests go", () =>
  withChild(
    connectorCode(`
      auth: (settings) => ({ kind: "oauth2", clientId: { setting: "id" }, clientSecret: { secret: "key" }, scopes: ["read"],
        authorizationUrl: ({ host }) => "https://" + host + "/authorize", tokenUrl: ({ host }) => "https://" + host + "/token" }),
      settingsJsonSchema: { type: "object" },
      async *fetch() {},`),
    async (child) => {
      const { data, functions, settingsSchema } = await child.call<Record<string, Record<string, unknown>>>(
        "describe",
        null,
      );
      assert.equal(data!.name, "stranger");
      assert.deepEqual(functions, ["hosts", "auth", "fetch"]);
      assert.deepEqual(settingsSchema, { type: "object" });
      const configured = await child.call<Record<string, unknown>>("configure", {
        settings: { host: "api.example.com" },
      });
      assert.deepEqual(configured.hosts, ["api.example.com"]);
      assert.deepEqual(configured.auth, {
        kind: "oauth2",
        clientId: { setting: "id" },
        clientSecret: { secret: "key" },
        scopes: ["read"],
        authorizationUrl: "https://api.example.com/authorize",
        tokenUrl: "https://api.example.com/token",
      });
    },
  ));

test("a fetch asks the hub for its requests, saves where it is, and gives its pages one by one", async () => {
  const asked: unknown[] = [], chunks = ['[{"id":', '"1"}]'];
  const code = fetching(`
    const response = await context.fetch("https://api.example.com/people", { headers: { accept: "application/json" } });
    context.log("status " + response.status);
    yield { origin: "page 1", records: await response.json() };
    await context.checkpoint.save({ page: 1 });
    yield { origin: "page 2", records: Array.from({ length: 1200 }, (_, i) => ({ id: i })) };
    return "end";`);
  const logged: string[] = [];
  const { pages, returned } = await withChild(code, (child) =>
    fetchAll(child, {
      http: (request: unknown) => {
        asked.push(request);
        return { status: 200, headers: [["content-type", "application/json"]], body: 7 };
      },
      chunk: (given: { body: number }) => {
        assert.equal(given.body, 7);
        return chunks.length === 0 ? null : btoa(chunks.shift()!);
      },
      save: (state: unknown) => void asked.push(state),
    }), { onLog: (line) => logged.push(line) });
  assert.deepEqual(pages[0], { origin: "page 1", records: [{ id: "1" }] });
  // A long page comes in parts.
  assert.deepEqual(pages.slice(1).map((page) => (page as { records: unknown[] }).records.length), [500, 500, 200]);
  assert.equal(returned, "end");
  assert.deepEqual(asked, [
    { url: "https://api.example.com/people", headers: { accept: "application/json" } },
    { page: 1 },
  ]);
  assert.deepEqual(logged, ["status 200"]);
});

test("a row that a connector cannot normalize is told of, and the others are normalized", () =>
  withChild(
    connectorCode(`async *fetch() {},
      normalize({ cells: [cell] }, { fields }) {
        if (cell === "throws") return cell.not.there;
        if (cell === "nothing") return null;
        if (cell === "promise") return Promise.resolve({});
        if (cell === "endless") return { title: 1 / 0 };
        if (cell === "big") return { title: 1n };
        return { [fields[0]]: cell };
      },`),
    async (child) => {
      const cells = ["a", "throws", "nothing", "promise", "endless", "big", "b"];
      const rows = cells.map((cell, i) => [i + 2, null, [cell]]);
      const done = await child.call<
        { record?: unknown; threw?: { name?: string; wrong?: string; message: string; at: unknown } }[]
      >(
        "normalize",
        { columns: ["Title"], rows, context: { fields: ["title"] } },
      );
      assert.deepEqual(done.map(({ record, threw }) => record ?? threw?.wrong ?? threw?.name), [
        { title: "a" },
        "TypeError",
        "nothing",
        "promise",
        "RangeError",
        "TypeError",
        { title: "b" },
      ]);
      assert.deepEqual(done.map(({ threw }) => threw?.message ?? "").join(""), "");
      for (const at of [1, 2, 3]) assert.ok(Array.isArray(done[at]!.threw!.at));
    },
  ));

test("what a connector did not catch ends it, with the place and without the text", async () => {
  for (
    const [body, expected] of [
      [
        "setTimeout(() => {\n throw new TypeError('Ada Moreno') }, 5); await new Promise(() => {});",
        /did not catch TypeError/,
      ],
      ["\nPromise.reject(new RangeError('Ada Moreno')); await new Promise(() => {});", /did not catch RangeError/],
      ["\nthrow new EvalError('Ada Moreno');", /threw EvalError/],
      ["\nyield { origin: null, records: [{ id: 1n }] };", /yielded a page that is no JSON/],
    ] as const
  ) {
    const error = await failure(fetching(body));
    assert.match(error.message, expected);
    assert.doesNotMatch(error.message, /Ada/);
    if (/throw|reject/.test(body)) assert.ok(error.at![0] > 6, String(error.at));
  }
});

test("a connector that exits, writes where it must not, or gives too much at once has ended", async () => {
  assert.match((await failure(fetching("Deno.exit(3);"))).message, /ended by itself \(exit code 3\)/);
  const write = 'Deno.stdout.writeSync(new TextEncoder().encode("x\\n")); await new Promise(() => {});';
  assert.match((await failure(fetching(write))).message, /wrote to standard output/);
  const page = 'yield { origin: null, records: [{ title: "x".repeat(2e6) }] };';
  assert.match((await failure(fetching(page), { lineBytes: 2 ** 20 })).message, /gave more than 1 MiB at once/);
});

test("a connector in a loop, or that waits for nothing, is ended after its time", async () => {
  const limits = { idleMs: 300, callMs: 300, loadMs: 20_000 };
  assert.match((await failure(fetching("for (;;);"), limits)).message, /did nothing for 0.3 s in "fetch"/);
  assert.match((await failure(fetching("await new Promise(() => {});"), limits)).message, /did nothing/);
  const endless = connectorCode("async *fetch() {}, normalize() { for (;;); },");
  await assert.rejects(
    withChild(endless, (child) => child.call("normalize", { columns: [], rows: [[1, null, []]], context: {} }), {
      limits,
    }),
    /did nothing for 0.3 s in "normalize"/,
  );
  await assert.rejects(
    withChild("for (;;);", (child) => fetchAll(child), { limits: { loadMs: 300 } }),
    /did not load within 0.3 s/,
  );
});

test("a connector that takes memory without end is ended alone", { skip: onlyInCheck }, async () => {
  const limits = { residentMiB: 256, heapMiB: 64 };
  const objects = fetching("const all = []; for (;;) all.push({ n: all.length });");
  assert.match((await failure(objects, limits)).message, /took more .*memory/);
  const buffers = fetching("const all = []; for (;;) all.push(new Uint8Array(2e7).fill(1));");
  assert.match((await failure(buffers, limits)).message, /took more than 256 MiB of memory/);
});

test("an ended child leaves no file behind, whatever it kept", async () => {
  const folders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("muster-connector-"));
  const code = fetching('localStorage.setItem("a", "b"); await caches.open("c"); yield { origin: null, records: [] };');
  const before = await folders();
  const { own } = await withChild(code, async (child) => {
    await fetchAll(child);
    return { own: (await folders()).filter((name) => !before.includes(name)) };
  });
  assert.ok(own.length >= 1);
  const after = await folders();
  assert.ok(own.some((name) => !after.includes(name)), "the folder is still there");
});

test("aborting a call ends the child, and calls after that fail with the same reason", () =>
  withChild(fetching("await new Promise(() => {});"), async (child) => {
    const stop = new AbortController();
    const reading = child.pages({ checkpoint: {} }, { signal: stop.signal }).next();
    stop.abort(new Error("cancelled"));
    await assert.rejects(reading, /cancelled/);
    await assert.rejects(child.call("describe", null), /cancelled/);
  }));
