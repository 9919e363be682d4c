/** Comparable forms: what counts as the same, and that comparing twice changes nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clean, foldEmail, foldName, phoneDigits } from "../../src/reconcile/fold.ts";
import { rounds } from "../support/rounds.ts";

test("every comparable form of any text is its own comparable form", () => {
  for (const fold of [clean, foldName, foldEmail, phoneDigits]) {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })), (text) => {
        assert.equal(fold(fold(text)), fold(text));
      }),
      { numRuns: rounds(1_000, 200) },
    );
  }
});

test("composed and decomposed spellings are the same name", () => {
  assert.equal(foldName("  Équipe   Île\u00a0de France "), foldName("E\u0301QUIPE I\u0302LE DE FRANCE"));
  assert.equal(foldEmail(" Zoe\u0301@Example.COM "), "zoé@example.com");
  assert.equal(clean(" Zoe\u0301 "), "Zoé");
});

test("case of other alphabets is folded too", () => {
  assert.equal(foldName("ОТДЕЛ ПРОДАЖ"), "отдел продаж");
});

test("phones are the same when their digits are", () => {
  assert.equal(phoneDigits("+1 (555) 010-0199"), "15550100199");
  assert.equal(phoneDigits("1.555.010.0199"), "15550100199");
});

test("an extension makes another phone", () => {
  assert.equal(phoneDigits("+1 555 010 0199 ext. 7"), "15550100199x7");
  assert.equal(phoneDigits("+1 555 010 0199 x7"), phoneDigits("1555 0100199 EXT 7"));
  assert.equal(phoneDigits("+1 555 010 0199 #7"), phoneDigits("1555 0100199;ext=7"));
  assert.notEqual(phoneDigits("155501001997"), phoneDigits("15550100199x7"));
});
