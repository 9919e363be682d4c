/** Rows of a source as they are stored: how many, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "../../src/model/errors.ts";
import { addWarning, type FetchProgress } from "../../src/sources/fetch-progress.ts";
import { createKeeper, NOTHING_KEPT } from "../../src/sources/keep.ts";

const keep = () => Promise.resolve();
const page = (...ids: number[]) => ({ origin: null, records: ids.map((id) => ({ id })) });

function refused(code: string, message: RegExp) {
  return (error: unknown) => error instanceof Fault && error.code === code && message.test(error.message);
}

test("a read has two million records at most", async () => {
  const keeper = createKeeper({ ...NOTHING_KEPT, records: 1_999_999 }, { keep });
  await keeper.add(page(1));
  await assert.rejects(keeper.add(page(2)), refused("too_large", /2000000 records at most/));
});

test("pages without end that bring nothing new are refused, and those that do begin the count anew", async () => {
  const keeper = createKeeper(NOTHING_KEPT, { keep });
  for (let n = 0; n < 9_000; n++) await keeper.add(page());
  await keeper.add(page(1));
  for (let n = 0; n < 10_000; n++) await keeper.add(page(1));
  await assert.rejects(keeper.add(page(1)), refused("connector_failed", /10000 pages in a row with no new record/));
});

test("what a connector warns of is one of the known warnings, in texts", () => {
  const warnings: unknown[] = [];
  const progress = { warnings } as unknown as FetchProgress;
  const good = { code: "source_changed", field: null, message: "It moved", suggestion: "Nothing" } as const;
  const redact = (text: string) => text.replace("moved", "…");
  addWarning(progress, good, redact);
  addWarning(progress, { ...good, message: "x".repeat(1e6) }, redact);
  assert.deepEqual(warnings[0], { ...good, message: "It …", severity: "warning", value: null });
  assert.equal((warnings[1] as typeof good).message.length, 500);
  for (const bad of [{ code: "email_invalid" }, { message: { toString: 1 } }, { suggestion: null }, { field: {} }]) {
    const warn = () => addWarning(progress, { ...good, ...bad } as never, redact);
    assert.throws(warn, refused("connector_failed", /warns of something/));
  }
  assert.equal(warnings.length, 2);
});
