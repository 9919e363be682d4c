import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "node:test";
import { cleanCell, cleanHeader, flawOf } from "../../src/intake/clean.ts";

const text = (cell: string) => cleanCell(cell, "text");
const exact = (cell: string) => cleanCell(cell, "exact");

test("white space of all kinds goes from the ends, and stays inside", () => {
  assert.equal(text(" \t\u00a0\u2003\u3000\u0085Ana  Maria\u2028\r\n "), "Ana  Maria");
  assert.equal(text("\u00a0"), "");
  assert.equal(text(""), "");
});

test("what nobody sees goes, wherever it is", () => {
  const invisible = "\u00ad\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2064\u2066\u2069\ufeff";
  for (const character of invisible) {
    assert.equal(text(`${character}Sa${character}les${character}`), "Sales", character.charCodeAt(0).toString(16));
  }
  assert.equal(text("\u200b \u200b"), "");
  assert.equal(text("\u200b Sales"), "Sales");
});

test("joiners stay in names and texts, which some scripts need, and go from what is compared", () => {
  assert.equal(text("نیم\u200cفاصله"), "نیم\u200cفاصله");
  assert.equal(exact("Z00\u200d1\u200c"), "Z001");
  assert.equal(cleanHeader("em\u200dail"), "email");
});

test("the apostrophe that a spreadsheet needs goes, and a name's own stays", () => {
  assert.equal(exact("'000123"), "000123");
  assert.equal(exact(" '=1+1 "), "=1+1");
  assert.equal(text("'t Hart"), "'t Hart");
  assert.equal(text("\u200b'000123"), "000123");
});

test("a formula that only wraps a text is the text", () => {
  assert.equal(exact('="000123"'), "000123");
  assert.equal(exact('\'="000123"'), "000123");
  assert.equal(text('=" say ""hi"" "'), 'say "hi"');
  for (const formula of ['="a"&"b"', "=000123", '="', '="000123', "=A1", '=CONCAT("a","b")']) {
    assert.equal(exact(formula), formula);
  }
});

test("cleaning what is clean changes nothing", () => {
  const character = fc.constantFrom(..." '=\"@-+0a\u00e9\u00a0\u0085\u00ad\u200b\u200c\u200d\ufeff\ufffd\t".split(""));
  const cell = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(""));
  fc.assert(fc.property(cell, fc.constantFrom("text" as const, "exact" as const), (raw, kind) => {
    const once = cleanCell(raw, kind);
    // An apostrophe protects what stands behind it, which may be an apostrophe or a formula again.
    fc.pre(!/^['=]/.test(once));
    assert.equal(cleanCell(once, kind), once);
  }));
});

test("spreadsheet errors, placeholders and damaged text are no values, and what looks a little like them is", () => {
  for (
    const error of ["#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#NV", "#WERT!", "Err:502"]
  ) {
    assert.equal(flawOf(error), "spreadsheet_error", error);
  }
  for (const placeholder of ["NULL", "null", "nan", "NaN", "n/a", "N/A", "-"]) {
    assert.equal(flawOf(placeholder), "placeholder_value", placeholder);
  }
  assert.equal(flawOf("M\ufffdller"), "text_damaged");
  for (const value of ["Null", "NA", "None", "--", "#1", "#hashtag", "Err:x", "n/a today", "Nan", ""]) {
    assert.equal(flawOf(value), null, value);
  }
});
