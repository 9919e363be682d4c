/** What names a person in what others wrote: phone numbers, in any spelling. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTraces } from "../../src/people/traces.ts";

function traced(phone: string) {
  const traces = createTraces();
  traces.add({ mobile_phone: phone });
  return traces;
}

const SAME = [
  "+49 30 1234567",
  "+49 (0)30 / 1234-567",
  "0049301234567",
  "030/1234567",
  "tel:+49-30-1234567",
  "30 1234567",
];

test("a number names the person with and without its country, however it is written", () => {
  for (const phone of SAME) {
    const traces = traced(phone);
    for (const text of SAME) {
      assert.ok(traces.isNamedIn(text), `${phone} in ${text}`);
      assert.ok(traces.isInText(`a,${text},b`), `${phone} in the text ${text}`);
    }
  }
});

test("a key names the person in the spellings that it was made of", () => {
  const traces = createTraces();
  traces.addKey(1, "37120123456");
  for (const text of ["+371 2012 3456", "0037120123456", "371 20123456"]) assert.ok(traces.isNamedIn(text), text);
});

test("another number names somebody else: of another country, with another end, or an extension", () => {
  const traces = traced("+49 30 1234567");
  for (const text of ["+48 30 1234567", "030 1234568", "030 1234567 x7", "1234567", "12"]) {
    assert.ok(!traces.isNamedIn(text), text);
  }
});
