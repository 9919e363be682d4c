/** A read that several ask for at once is done once. */
import assert from "node:assert/strict";
import test from "node:test";
import { shareReads } from "../../../src/runtime/threads/share-reads.ts";
import type { Asker, Reader } from "../../../src/store/people/heavy-reads.ts";

function open() {
  const begun: { signal: AbortSignal; resolve: (result: unknown) => void }[] = [];
  const read = (_name: string, { signal }: Asker) =>
    new Promise((resolve) => void begun.push({ signal: signal!, resolve }));
  const shared = shareReads({ read: read as Reader["read"] });
  const ask = (what: number, signal?: AbortSignal) => shared.read("findRowsAt", { turn: 1, signal }, 1, what, [1]);
  return { begun, ask };
}

test("two who ask the same get one result, and who asks something else gets another", async () => {
  const { begun, ask } = open();
  const reads = [ask(1), ask(1), ask(2)];
  assert.equal(begun.length, 2);
  begun[0]!.resolve("one");
  begun[1]!.resolve("two");
  assert.deepEqual(await Promise.all(reads), ["one", "one", "two"]);
  void ask(1);
  assert.equal(begun.length, 3, "what has ended is read again");
});

test("one who goes away keeps nobody else from the result; once all are gone, the read is given up", async () => {
  const { begun, ask } = open();
  const [first, second] = [new AbortController(), new AbortController()];
  const reads = [ask(1, first.signal), ask(1, second.signal)];
  first.abort();
  await assert.rejects(reads[0]!, { name: "AbortError" });
  assert.equal(begun[0]!.signal.aborted, false);
  second.abort();
  await assert.rejects(reads[1]!, { name: "AbortError" });
  assert.equal(begun[0]!.signal.aborted, true);
  const again = ask(1);
  begun[1]!.resolve("again");
  assert.equal(await again, "again");
});
