/** Laws about reading a source that is well. */
import assert from "node:assert/strict";
import { assertSame, assertTaken } from "./compare.ts";
import { fetches, type Law } from "./law.ts";
import { rawRows } from "./records.ts";

const MANY = 20_000;
const MAX_RECORD_BYTES = 1024 * 1024;
/** Far less than a hub gives, and enough for pages of such a source. */
const LITTLE = { heapMiB: 96, residentMiB: 320 };
const MAX_STATES = 6;

export const READ_LAWS: readonly Law[] = [
  {
    name: "it uses only its context: no network of its own, no file, no environment",
    async hold(subject) {
      assert.deepEqual(subject.reaching, [], "it imports modules that reach further");
      if (subject.cases.source === undefined) return;
      const read = await subject.read();
      assert.deepEqual(read.reached, [], "it reaches further");
      assert.ok(!/NotCapable|PermissionDenied/.test(read.fault?.message ?? ""), read.fault?.message);
    },
  },
  {
    name: "it asks only its own hosts",
    applies: fetches,
    async hold(subject) {
      assert.deepEqual([...new Set((await subject.read()).foreign)], []);
    },
  },
  {
    name: "it gives the same again",
    applies: fetches,
    async hold(subject) {
      const first = await subject.whole();
      const again = await subject.read();
      assert.equal(again.fault, null, again.fault?.message);
      assertSame(rawRows(again), rawRows(first), "a second read");
    },
  },
  {
    name: "a record has at most 1 MiB",
    applies: fetches,
    async hold(subject) {
      const read = await subject.read();
      assert.notEqual(read.fault?.code, "too_large", read.fault?.message);
      for (const row of rawRows(read)) assert.ok(JSON.stringify(row).length <= MAX_RECORD_BYTES);
    },
  },
  {
    name: "going on from any checkpoint gives the same as one read",
    applies: fetches,
    async hold(subject, skip) {
      const whole = await subject.whole();
      if (whole.saved.length === 0) return skip("it saves no checkpoint");
      for (const from of evenly(whole.saved, MAX_STATES)) {
        const read = await subject.read({ from });
        const about = `going on from ${JSON.stringify(from.state)}`;
        assert.equal(read.fault, null, `${about} fails: ${read.fault?.message}`);
        assertSame(rawRows(read), rawRows(whole), about);
      }
    },
  },
  {
    name: "with the state of the last read, an unchanged source is unchanged or read in full",
    applies: fetches,
    async hold(subject, skip) {
      const whole = await subject.whole();
      const last = whole.saved.at(-1)?.state;
      if (last === undefined) return skip("it saves no state");
      await assertTaken(subject, last, "a state is given as checkpoint.last");
    },
  },
  {
    name: "with the state of the last read, a changed source is read as it is now",
    applies: ({ changed, source }) => changed !== undefined && source !== undefined,
    async hold(subject) {
      const { cases: { changed } } = subject;
      const last = (await subject.whole()).saved.at(-1)?.state ?? null;
      const source = typeof changed!.source === "function" ? changed!.source : undefined;
      assert.ok(source !== undefined, 'The source of "changed" should be a function');
      const read = await subject.read({ last, source });
      assert.equal(read.fault, null, read.fault?.message);
      assert.equal(read.unchanged, null, "it says that nothing has changed");
      assertSame(await subject.records(read), changed!.records, "the changed source");
    },
  },
  {
    name: "what it expects in all is what it gives",
    applies: fetches,
    async hold(subject, skip) {
      const read = await subject.read();
      if (read.expected === null) return skip("it calls expectTotal never");
      assert.equal(read.expected, read.count);
    },
  },
  {
    name: "it stops when it is aborted",
    applies: fetches,
    async hold(subject) {
      const { asked } = await subject.whole();
      const stop = new AbortController();
      const read = await subject.read({
        signal: stop.signal,
        between(n, ask) {
          if (n === 1) stop.abort(new Error("stopped"));
          return ask();
        },
      });
      assert.notEqual(read.fault, null, "it goes on to its end");
      assert.ok(read.asked.length <= Math.min(asked.length, 1 + 16), `it asks ${read.asked.length} times`);
    },
  },
  {
    name: `${MANY} rows are given while they are read, in little memory`,
    applies: ({ scale }) => scale !== undefined,
    async hold(subject) {
      const read = await (await subject.apart(LITTLE)).read({ source: subject.cases.scale!(MANY) });
      assert.equal(read.fault, null, read.fault?.message);
      assert.equal(read.count, MANY);
      const { length } = read.asked;
      if (length < 8) return;
      const late = read.rowsBefore[Math.ceil(length * 0.75) - 1]!;
      assert.ok(late >= MANY / 4, `only ${late} rows had come by three quarters of its ${length} requests`);
    },
  },
];

function evenly<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round(i * (all.length - 1) / (most - 1))]!);
}
