/**
 * Children that keep to no rule of the protocol, as the hub's side meets them: it ends such a child once, with a fault that
 * names what it did, and holds nothing for it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Calls, createCalls } from "../../../src/runtime/sandbox/calls.ts";
import type { Child } from "../../../src/runtime/sandbox/child.ts";
import { ConnectorFault, errorOf, threwOf } from "../../../src/runtime/sandbox/faults.ts";
import { createHttp } from "../../../src/runtime/sandbox/http.ts";
import { loadIsolated } from "../../../src/runtime/sandbox/isolated.ts";
import { linesOf } from "../../../src/runtime/sandbox/lines.ts";
import { LIMITS, type Limits, type ToChild } from "../../../src/runtime/sandbox/protocol.ts";
import { createReading } from "../../../src/runtime/sandbox/reading.ts";
import { createSourcePlace } from "../../../src/runtime/sandbox/source-place.ts";
import { onlyInCheck } from "../../support/rounds.ts";
import { fetchAll, fetching, withChild } from "../../support/stranger.ts";

interface Side {
  readonly calls: Calls;
  readonly written: ToChild[];
  /** Why the child was ended. */
  readonly ended: ConnectorFault[];
  /** What the child writes. */
  say(message: unknown): boolean;
}

function hubSide(limits: Partial<Limits> = {}): Side {
  const written: ToChild[] = [], ended: ConnectorFault[] = [];
  const calls: Calls = createCalls({
    limits: { ...LIMITS, ...limits },
    write: (message) => void written.push(message),
    onLog: () => {},
    kill(reason) {
      ended.push(reason as ConnectorFault);
      calls.fail(reason);
    },
  });
  return { calls, written, ended, say: (message) => calls.take(JSON.stringify(message)) };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

test("what is no message is refused as it is, and never looked into", () => {
  const { calls } = hubSide();
  const lines = ["", " ", "null", "5", '"loaded"', "[]", "{}", "{", '{"other":1}', "\u0000", "\ufffd"];
  for (const line of [...lines, '{"__proto__":{"value":1}}', `${"[".repeat(100_000)}`]) {
    assert.equal(calls.take(line), false, line.slice(0, 40));
  }
});

test("answers to what was not asked, or a second time, end the child with one reason", async () => {
  for (const id of [2, -1, 1e308, 0, "1", null, {}, [1]]) {
    for (const word of ["value", "page", "fault"]) {
      const { calls, ended, say } = hubSide();
      const asked = calls.call("describe", null);
      say({ [word]: id, is: "evil" });
      await assert.rejects(asked, /^ConnectorFault: answered what it was not asked$/);
      say({ value: 1, is: "late" });
      assert.equal(ended.length, 1);
    }
  }
  const { calls, ended, say } = hubSide();
  const asked = calls.call("describe", null);
  say({ value: 1, is: "first" });
  say({ value: 1, is: "second" });
  assert.equal(await asked, "first");
  await assert.rejects(calls.call("describe", null), /answered what it was not asked/);
  assert.equal(ended.length, 1);
});

test("half a line is nothing, and a line without an end is given up before it is held", async () => {
  let given = 0;
  async function* bytes(count: number) {
    for (; given < count; given++) yield new Uint8Array(64 * 1024).fill(120);
  }
  const lines = [];
  for await (const line of linesOf(bytes(1), 2 ** 20)) lines.push(line);
  assert.deepEqual(lines, []);
  given = 0;
  await assert.rejects(linesOf(bytes(1600), 2 ** 20).next(), RangeError);
  assert.ok(given <= 17, `${given} pieces of 64 KiB were taken`);
});

test("faults of any shape become a fault of the connector, with nothing but plain texts", () => {
  const odd = [null, 5, "text", [], {}, { kind: {} }, { name: { toString: 1 } }, { name: "<b>", within: 7, at: "1:2" }];
  for (const given of [...odd, { wrong: "__proto__" }, { wrong: "constructor" }, { kind: "__proto__" }]) {
    assert.match(errorOf(given as never).message, /^threw an error$/);
    assert.deepEqual(Object.values(threwOf(given)).filter((value) => value !== undefined), []);
  }
  assert.equal(errorOf({ kind: "answer", message: "x".repeat(1e7) }).message.length, 10_000);
  const map = JSON.stringify({ version: 3, sources: ["a.ts"], names: [], mappings: "AAAA" });
  for (const at of [[-1, -1], [0, 0], [2 ** 53 - 1, 1], [1, -(2 ** 53) + 1]] as const) {
    const place = createSourcePlace(map)(at);
    assert.ok(place === null || /^a\.ts:\d+$/.test(place), String(place));
  }
});

test("a child that asks for thousands of things at once, or for large ones, is ended", async () => {
  const answers = { save: () => new Promise(() => {}) };
  for (
    const [asks, bytes, expected] of [
      [1_001, 0, /asked for more than 1000 things at once/],
      [6, 200 * 1024, /asked for more than 1 MiB of things at once/],
    ] as const
  ) {
    const { calls, ended, say } = hubSide({ unreadBytes: 2 ** 20 });
    const page = calls.pages({}, { answers }).next();
    page.catch(() => {});
    for (let ask = 1; ask <= asks; ask++) say({ ask, of: 1, what: "save", with: "x".repeat(bytes) });
    await assert.rejects(page, expected);
    assert.equal(ended.length, 1);
  }
});

test("a child that logs without end is ended", async () => {
  const { calls, say } = hubSide();
  const page = calls.pages({}).next();
  page.catch(() => {});
  for (let n = 0; n <= 10_000; n++) say({ log: { toString: 1 }, of: null });
  await assert.rejects(page, /logged more than 10000 lines at once/);
});

test("questions that the hub does not know, or that come out of turn, are refused and give no more time", async () => {
  const { calls, written, ended, say } = hubSide({ callMs: 200 });
  const normalized = calls.call("normalize", null);
  normalized.catch(() => {});
  for (let ask = 1; ended.length === 0; ask++) {
    const what = ["http", "page", "chunk", "feed", "__proto__", "constructor", "toString", null, 5][ask % 9];
    say({ ask, of: [1, 2, "1", null][ask % 4], what, with: null });
    await turn();
  }
  await assert.rejects(normalized, /did nothing for 0.2 s in "normalize"/);
  const answered = written.filter((message) => "answer" in message);
  assert.ok(answered.length > 9 && answered.every((message) => "fault" in message));
});

test("a read that only asks what is refused, or feeds what it never reads, ends by its time", async () => {
  const refused = { http: () => Promise.reject(new Error("no such host")) };
  async function* everything(body: ReadableStream<Uint8Array>) {
    for await (const _ of body as unknown as AsyncIterable<Uint8Array>);
    yield { origin: null, records: [] };
  }
  const { answers: reading } = createReading({ read: (body) => everything(body as never) }, () => null);
  for (const answers of [refused, reading]) {
    const { calls, ended, say } = hubSide({ idleMs: 200 });
    const page = calls.pages({}, { answers }).next();
    page.catch(() => {});
    if (answers === reading) say({ ask: 1, of: 1, what: "read", with: { body: null } });
    for (let ask = 2; ended.length === 0; ask++) {
      if (answers === refused) say({ ask, of: 1, what: "http", with: { url: "https://elsewhere.example.com" } });
      else if (ask < 9) say({ ask, of: 1, what: "feed", with: { reader: 1, base64: "%%% no base64 %%%" } });
      await turn();
    }
    await assert.rejects(page, /did nothing for 0.2 s in "fetch"/);
  }
});

test("a connector may ask for its next page while the hub stores the one before", async () => {
  const { calls, written, say } = hubSide();
  const pages = calls.pages({}, { answers: { chunk: () => "aGk=" } });
  const first = pages.next();
  say({ page: 1, is: { records: [] } });
  await first;
  say({ ask: 7, of: 1, what: "chunk", with: { body: 1 } });
  await turn();
  assert.deepEqual(written.at(-1), { answer: 7, value: "aGk=" });
});

test("a request waits while as many responses are open as may be, and goes when one is read to its end", async () => {
  const http = createHttp(() => Promise.resolve(new Response("hi")));
  const ask = http.answers.http as (asked: unknown, meanwhile: unknown) => Promise<{ body: number }>;
  const chunk = http.answers.chunk as (asked: unknown, meanwhile: unknown) => Promise<string | null>;
  const meanwhile = <T>(work: () => Promise<T>) => work();
  const url = "https://api.example.com";
  const open = await Promise.all(Array.from({ length: 32 }, () => ask({ url }, meanwhile)));
  let isAnswered = false;
  const further = ask({ url }, meanwhile).then(() => isAnswered = true);
  await turn();
  assert.equal(isAnswered, false);
  const { body } = open[7]!;
  assert.equal(await chunk({ body }, meanwhile), btoa("hi"));
  assert.equal(await chunk({ body }, meanwhile), null);
  assert.equal(await further, true);
  await http.close();
});

test("a connector that breaks a limit of the hub's is ended, and its run says which", async () => {
  async function* nothing() {}
  const { answers } = createReading({ read: () => nothing() as never }, () => null);
  const { calls, ended, say } = hubSide();
  const page = calls.pages({}, { answers }).next();
  page.catch(() => {});
  for (let ask = 1; ask <= 9; ask++) say({ ask, of: 1, what: "read", with: { body: null } });
  await assert.rejects(page, /reads 8 bodies at once/);
  assert.equal(ended.length, 1);
});

test("requests of a child that has ended are not sent, and what comes for it is given up", async () => {
  let sent = 0, cancelled = 0;
  const arrive: (() => void)[] = [];
  const http = createHttp(() => {
    sent++;
    return new Promise((resolve) => {
      arrive.push(() => resolve(new Response(new ReadableStream({ cancel: () => void cancelled++ }))));
    });
  });
  const ask = http.answers.http as (asked: unknown, meanwhile: unknown) => Promise<{ body: number }>;
  const meanwhile = <T>(work: () => Promise<T>) => work();
  const asked = Array.from({ length: 500 }, () => ask({ url: "https://api.example.com" }, meanwhile));
  for (const each of asked) each.catch(() => {});
  await turn();
  assert.equal(sent, 32);
  arrive[0]!();
  assert.equal((await asked[0]!).body, 1);
  await turn();
  assert.equal(sent, 32, "a place is free again when the response is read to its end");
  await assert.rejects(ask({ url: { toString: 5 } }, meanwhile), TypeError);
  await http.close();
  assert.equal(cancelled, 1);
  for (const each of arrive.slice(1)) each();
  const ends = await Promise.allSettled(asked);
  assert.equal(ends.filter(({ status }) => status === "rejected").length, 499);
  assert.equal(sent, 32);
  assert.equal(cancelled, 32);
});

const BUNDLE = { code: "", map: "{}", digest: "d" };
const described = {
  data: { name: "evil", title: "Evil" },
  functions: ["hosts", "auth", "normalize"],
  hasSchema: true,
  settingsSchema: null,
};

/** A connector whose child answers each call with this. */
function answering(given: unknown) {
  const child = { call: () => Promise.resolve(given), end: () => Promise.resolve() } as unknown as Child;
  return { deno: "", start: () => Promise.resolve(child) };
}

test("records for rows that were not given, or that are none, are the connector's fault or that row's alone", async () => {
  const rows = [[1, null, ["a"]], [2, null, ["b"]]] as never;
  for (const given of [null, 5, {}, [], [{}], [{}, {}, {}], { length: 2 }, "ab"]) {
    const { isolated } = await loadIsolated(BUNDLE, { ...answering(given), described });
    const { normalize } = isolated!.openNormalizer("1");
    const done = normalize({ columns: ["A"], rows, context: {} } as never);
    await assert.rejects(done, /The connector "Evil" did not normalize 2 rows/);
  }
  const own = JSON.parse('{"record":{"__proto__":{"polluted":1},"title":-1e400,"email":{"a":[]}}}');
  const { isolated } = await loadIsolated(BUNDLE, {
    ...answering([own, { threw: { wrong: "__proto__" } }]),
    described,
  });
  const made = await isolated!.openNormalizer("1").normalize({ columns: ["A"], rows, context: {} } as never);
  assert.deepEqual(made.map((each) => Object.keys(each)), [["record"], ["threw"]]);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
});

test("a description or settings of the wrong shape, or without measure, are refused in words", async () => {
  for (const given of [null, 5, "text", []]) {
    await assert.rejects(loadIsolated(BUNDLE, answering(given)), /^Fault: The connector does not describe itself$/);
  }
  const huge = { ...described, data: { title: "x".repeat(2 ** 20) } };
  await assert.rejects(loadIsolated(BUNDLE, answering(huge)), /has more than 256 KiB of its description/);
  for (
    const given of [null, 5, "text", [], { auth: null, hosts: 5, result: { value: { host: "x".repeat(2 ** 20) } } }]
  ) {
    const connector = await loadIsolated(BUNDLE, { ...answering(given), described });
    await connector.isolated!.prepare([{ host: "a" }]);
    let result: unknown;
    try {
      result = connector.settings["~standard"].validate({ host: "a" });
    } catch (error) {
      assert.match(String(error), /has more than 256 KiB of its settings/);
    }
    assert.equal(result, undefined);
  }
});

test("a real child that writes half a line, or a line of 100 MB, is ended, once, with all that it holds", {
  skip: onlyInCheck,
}, async () => {
  const write = (text: string) => `Deno.stdout.writeSync(new TextEncoder().encode(${text}));`;
  const cases = [
    [500, `${write('"{\\"page\\":1"')} await new Promise(() => {});`, /did nothing for 0.5 s in "fetch"/],
    [60_000, `for (let n = 0; n < 100; n++) ${write('"x".repeat(1e6)')}`, /gave more than 16 MiB at once/],
  ] as const;
  for (const [idleMs, body, expected] of cases) {
    await withChild(fetching(body), async (child) => {
      await assert.rejects(fetchAll(child), expected);
      await assert.rejects(child.call("describe", null), expected);
    }, { limits: { idleMs } });
  }
});
