import assert from "node:assert/strict";
import { test } from "node:test";
import { isDamaged } from "../../src/reconcile/damage.ts";

test("letters that became question marks are lost", () => {
  assert.ok(isDamaged("Zo?", "Zoë"));
  assert.ok(isDamaged("M??ller", "Müller"));
  assert.ok(isDamaged("Mu?ller", "Müller"));
  assert.ok(isDamaged("?ukasz", "Łukasz"));
});

test("text that was encoded twice is lost, whatever cleaning takes out of it", () => {
  assert.ok(isDamaged("MÃ¼ller", "Müller"));
  assert.ok(isDamaged("Garc\u00c3a", "García"), "its soft hyphen is gone");
  assert.ok(isDamaged("M√ºller", "Müller"), "as a Mac reads it");
});

test("another name is a new name", () => {
  for (
    const [value, current] of [["Miller", "Müller"], ["Mueller", "Müller"], ["Muller", "Müller"], ["M?ller", "Miller"]]
  ) {
    assert.equal(isDamaged(value!, current!), false, value);
  }
  assert.equal(isDamaged("Müller", "MÃ¼ller"), false, "what is mended is taken");
  assert.equal(isDamaged("Who?", "Who"), false);
  assert.equal(isDamaged("Müller", "Müller"), false);
});
