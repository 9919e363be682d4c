import assert from "node:assert/strict";
import test from "node:test";
import { causesOf, codeOf } from "../../src/std/causes.ts";

test("the causes of an error come from the outermost to the innermost", () => {
  const inner = new Error("inner", { cause: "no error" });
  const outer = new Error("outer", { cause: inner });
  assert.deepEqual(causesOf(outer), [outer, inner]);
  assert.deepEqual(causesOf("no error"), []);
});

test("a chain that runs in a circle ends", () => {
  const inner = new Error("inner");
  const outer = new Error("outer", { cause: inner });
  inner.cause = outer;
  assert.deepEqual(causesOf(outer), [outer, inner]);
});

test("only a text is a code", () => {
  assert.equal(codeOf(Object.assign(new Error("full"), { code: "ENOSPC" })), "ENOSPC");
  assert.equal(codeOf(Object.assign(new Error("odd"), { code: 23 })), null);
  assert.equal(codeOf(new Error("plain")), null);
});
