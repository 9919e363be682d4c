import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { keep, protect, unprotect } from "../../src/intake/apostrophe.ts";
import { rounds } from "../support/rounds.ts";

test("one leading apostrophe is taken off before a digit or what begins a formula", () => {
  assert.equal(unprotect("'000123"), "000123");
  assert.equal(unprotect("'=1+1"), "=1+1");
  assert.equal(unprotect("'+49 30 1234"), "+49 30 1234");
  assert.equal(unprotect("'-"), "-");
  assert.equal(unprotect("'@ana"), "@ana");
  assert.equal(unprotect("'\tx"), "\tx");
  assert.equal(unprotect("'\rx"), "\rx");
});

/** What an English spreadsheet takes for a date, though it may be an id. */
const NAMED_DATES = [
  "MAR10",
  "DEC1",
  "SEP-7",
  "Sept2",
  "Mar 10",
  "May 5",
  "march 10, 2024",
  "JUN/3/24",
  "Oct.1",
  "Dec-2024",
  "Jan 1 2024 08:30",
];
const DATES_BY_DAY = ["10-Mar", "10MAR", "1 sept", "31-Jan-2024", "10 March 2024 08:00", "1-2", "1/2", "2024-01-31"];

test("one leading apostrophe is taken off before what a spreadsheet takes for a date", () => {
  for (const text of [...NAMED_DATES, ...DATES_BY_DAY]) {
    assert.equal(protect(text, "exact"), `'${text}`);
    assert.equal(unprotect(`'${text}`), text);
    assert.equal(unprotect(`''${text}`), `'${text}`);
    assert.equal(protect(text), text);
  }
  for (const text of ["March", "Mar", "Marta 10", "MARK10", "May be 5", "Dec1x", "A MAR10", "MAR10A"]) {
    assert.equal(protect(text, "exact"), text);
    assert.equal(unprotect(`'${text}`), `'${text}`);
  }
  assert.equal(protect("1 Marchand", "exact"), "1 Marchand");
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
    fc.tuple(
      fc.constantFrom("", "'", "''", "'''"),
      fc.constantFrom(...NAMED_DATES, ...DATES_BY_DAY, "t Hart", "March"),
      fc.constantFrom("", "", " ", "x", "\n"),
    ).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, fc.constantFrom("text" as const, "exact" as const), (value, kind) => {
      assert.equal(unprotect(protect(value, kind)), value);
      assert.equal(unprotect(keep(value)), value);
    }),
    { numRuns: rounds(3000, 500) },
  );
});
