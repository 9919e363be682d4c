import assert from "node:assert/strict";
import test from "node:test";
import { untilAborted } from "../../src/std/until-aborted.ts";

test("all values come in order, and the iterator is not asked to return once it has ended", async () => {
  let returned = 0;
  const values = {
    [Symbol.asyncIterator]() {
      let n = 0;
      return {
        next: () => Promise.resolve(n < 3 ? { done: false, value: n++ } : { done: true, value: undefined }),
        return: () => Promise.resolve({ done: true, value: void returned++ }),
      };
    },
  } as AsyncIterable<number>;
  const read: number[] = [];
  for await (const value of untilAborted(values, new AbortController().signal)) read.push(value);
  assert.deepEqual([read, returned], [[0, 1, 2], 0]);
});

test("an iterator that never answers is left as soon as the signal is aborted", async () => {
  let returned = 0;
  const values = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      // Its answer is not waited for either.
      return: () => (returned++, new Promise(() => {})),
    }),
  } as AsyncIterable<number>;
  const stop = new AbortController();
  const reading = untilAborted(values, stop.signal).next();
  stop.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
  assert.equal(returned, 1);
});
