import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { protect, unprotect } from "../../src/intake/apostrophe.ts";

test("one leading apostrophe is taken off before a digit or what begins a formula", () => {
  assert.equal(unprotect("'000123"), "000123");
  assert.equal(unprotect("'=1+1"), "=1+1");
  assert.equal(unprotect("'+49 30 1234"), "+49 30 1234");
  assert.equal(unprotect("'-"), "-");
  assert.equal(unprotect("'@ana"), "@ana");
  assert.equal(unprotect("'\tx"), "\tx");
  assert.equal(unprotect("'\rx"), "\rx");
});

test("any other apostrophe is text", () => {
  for (const text of ["'t Hart", "O'Neil", "'", "''", "1'2", "", "' 1", "'\n1"]) assert.equal(unprotect(text), text);
});

test("what a spreadsheet would run as a formula is protected in every cell", () => {
  for (const text of ["=1+1", "+1", "-1", "@ana", "\tx", "\rx", "＝1+1", "＋1", "－1", "＠ana"]) {
    assert.equal(protect(text), `'${text}`);
  }
  for (const text of ["Ana", "000123", "2024-01-31", "a=b", "", "'t Hart"]) assert.equal(protect(text), text);
});

test("ids, phones and dates that a spreadsheet would retype are protected", () => {
  for (const text of ["000123", "123456789012", "2024-01-31", "31/01/2024", "1/2", "12E3", "030 1234"]) {
    assert.equal(protect(text, "exact"), `'${text}`);
  }
  for (const text of ["123", "12345678901", "0", "A-1", "Ana"]) assert.equal(protect(text, "exact"), text);
});

test("unprotecting what was protected gives the text back, whatever it was", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({
      unit: fc.constantFrom("'", "=", "＝", "0", "1", "-", "/", "@", "\t", "\r", "e", " ", "\n"),
      maxLength: 14,
    }),
  );
  fc.assert(
    fc.property(text, fc.constantFrom("text" as const, "exact" as const), (value, kind) => {
      assert.equal(unprotect(protect(value, kind)), value);
    }),
    { numRuns: 3000 },
  );
});
