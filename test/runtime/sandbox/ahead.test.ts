/** Reading ahead: the child makes its next page while the hub stores one, and nothing counts before it is stored. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAhead } from "../../../src/runtime/sandbox/ahead.ts";

const meanwhile = <T>(work: () => Promise<T>) => work();

/** Pages 1 to `last`, and which of them were asked for. */
function source(last: number) {
  const asked: number[] = [];
  async function* pages(): AsyncGenerator<number, string> {
    for (let n = 1; n <= last; n++) {
      asked.push(n);
      yield n;
    }
    return "end";
  }
  return { asked, ...createAhead(pages) };
}

/** Lets go on what waits for nothing but other code. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("while a page is stored, the next one is made, and no more", async () => {
  const { pages, asked } = source(5);
  assert.equal((await pages.next()).value, 1);
  await turn();
  assert.deepEqual(asked, [1, 2]);
  assert.equal((await pages.next()).value, 2);
  await turn();
  assert.deepEqual(asked, [1, 2, 3]);
});

test("all pages come in their order, and what was returned", async () => {
  const { pages } = source(3);
  const given = [await pages.next(), await pages.next(), await pages.next(), await pages.next()];
  assert.deepEqual(given.map(({ value }) => value), [1, 2, 3, "end"]);
  assert.equal(given[3]!.done, true);
});

test("a checkpoint is saved once all that was yielded before it is stored", async () => {
  const { pages, afterwards } = source(3);
  const done: string[] = [];
  const save = (name: string) => afterwards(() => Promise.resolve(void done.push(name)), meanwhile);
  await save("before the first page");
  await pages.next();
  const saving = save("after it");
  await turn();
  assert.deepEqual(done, ["before the first page"]);
  await pages.next();
  await saving;
  assert.deepEqual(done, ["before the first page", "after it"]);
});

test("a checkpoint that waits for a page which is never stored is not saved", async () => {
  const { pages, afterwards } = source(3);
  await pages.next();
  const saving = afterwards(() => assert.fail("It was saved"), meanwhile);
  saving.catch(() => {});
  await pages.return("stopped");
  await assert.rejects(saving, /has ended/);
});

test("a failure comes after the page before it has been stored", async () => {
  const { pages } = createAhead(async function* () {
    yield 1;
    throw new RangeError("the second page");
  });
  assert.equal((await pages.next()).value, 1);
  await turn();
  await assert.rejects(pages.next(), /the second page/);
});
