/** Phone numbers compared: which are one, with a country and without. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { phoneDigits } from "../../src/reconcile/fold.ts";
import { createSpellings } from "../../src/reconcile/phone-spellings.ts";
import { createPhones, isInternational } from "../../src/reconcile/phones.ts";

const anywhere = createPhones(null);
const latvia = createPhones("LV");
const germany = createPhones("DE");

test("international numbers are compared in E.164, with 00 for +, without what is dialled inside the country", () => {
  for (const phones of [anywhere, latvia, germany]) {
    for (
      const text of ["+37120123456", "+371 2012 3456", "0037120123456", "00 371 / 20-12-34-56", "tel:+371-2012-3456"]
    ) {
      assert.equal(phones.fold(text), "37120123456", text);
    }
    for (const text of ["+49 (0)30 / 1234-567", "+49301234567", "0049 30 1234567", "(+49) [30] 1234–567"]) {
      assert.equal(phones.fold(text), "49301234567", text);
    }
    // The 0 of Italian numbers is dialled from abroad, too.
    assert.equal(phones.fold("+39 06 1234567"), "39061234567");
  }
});

test("without a country other numbers are compared by their digits", () => {
  assert.equal(anywhere.fold("030/1234567"), "0301234567");
  assert.equal(anywhere.fold("2012 3456"), "20123456");
  assert.equal(anywhere.fold("555-0100"), "5550100");
  assert.equal(anywhere.fold("000123"), "000123");
});

test("with a country national numbers are compared in E.164, and what no number there can be by its digits", () => {
  assert.equal(latvia.fold("2012 3456"), "37120123456");
  assert.equal(germany.fold("030/1234567"), "49301234567");
  assert.equal(germany.fold("0171 1234567"), germany.fold("+49 171 1234567"));
  assert.equal(createPhones("US").fold("(555) 010-0199"), "15550100199");
  assert.equal(createPhones("US").fold("011 371 2012 3456"), "37120123456");
  assert.equal(latvia.fold("112"), "112");
  assert.equal(latvia.fold("4930123456"), "4930123456");
  assert.equal(createPhones("US").fold("555-0100"), "5550100");
});

test("a number that has lost its + to a spreadsheet is still international where it begins with the country's code", () => {
  assert.equal(latvia.fold("37120123456"), "37120123456");
  assert.equal(germany.fold("491711234567"), "491711234567");
  assert.equal(createPhones("GB").fold("447400123456"), "447400123456");
  // Italian mobile numbers begin with a 3, and none has a 0 that could be missing.
  assert.equal(createPhones("IT").fold("393 123 4567"), "393931234567");
});

test("an extension makes another phone, however it is written", () => {
  for (
    const text of [
      "+1 555 010 0199 x7",
      "+1 555 010 0199 ext 7",
      "+1 555 010 0199 ext. 7",
      "+1 555 010 0199 ext: 7",
      "+1 555 010 0199 extension 7",
      "+1 555 010 0199 #7",
      "+1-555-010-0199;ext=7",
    ]
  ) assert.equal(anywhere.fold(text), "15550100199x7", text);
  assert.notEqual(anywhere.fold("+1 555 010 0199 x7"), anywhere.fold("+1 555 010 0199 x8"));
  assert.notEqual(anywhere.fold("+1 555 010 0199 x7"), anywhere.fold("+1 555 010 0199"));
  assert.equal(latvia.fold("2012 3456 x7"), "37120123456x7");
});

test("a key that hubs have stored so far is the digits of its number, which is the present form of most numbers", () => {
  // As it was compared until now: digits alone, with an x before the extension.
  const stored = (text: string) => text.toLowerCase().split("x").map((part) => part.replace(/\D/g, "")).join("x");
  fc.assert(fc.property(fc.stringMatching(/^(\+|00)?[1-9][\d ().-]{3,16}( x\d{1,4})?$/), (text) => {
    assert.equal(phoneDigits(text), stored(text));
  }));
  for (const text of ["+371 2012 3456", "+1 (555) 010-0199 x7", "2012 3456", "37120123456"]) {
    assert.equal(anywhere.fold(text), stored(text));
  }
});

test("a number without its country is compared by its digits as long as no country is set", () => {
  fc.assert(fc.property(fc.stringMatching(/^0?[1-9]\d{4,13}( x\d{1,4})?$/), (text) => {
    assert.equal(anywhere.fold(text), phoneDigits(text));
  }));
});

test("what is already in comparable form stays as it is without a country", () => {
  fc.assert(fc.property(fc.stringMatching(/^\+?[\d ().-]{1,30}( x\d{1,4})?$/), (text) => {
    const once = anywhere.fold(text);
    assert.equal(anywhere.fold(once), once);
  }));
});

test("a + or 00 names the country", () => {
  for (const text of ["+371 2012", "(+49) 30", "0037120", "tel:+1 555", "00 371"]) {
    assert.ok(isInternational(text), text);
  }
  for (const text of ["371 2012", "030 123", "0", "000 12", "tel:030"]) assert.ok(!isInternational(text), text);
});

function alike(a: string, b: string): boolean {
  const spellings = createSpellings<string>();
  const number = (text: string) => ({ key: anywhere.fold(text), isInternational: isInternational(text) });
  spellings.add({ ...number(a), of: a });
  return spellings.alike(number(b)).includes(a);
}

test("a national number may be the international one that ends with it, with or without a 0 in front", () => {
  for (
    const [national, international] of [
      ["2012 3456", "+371 2012 3456"],
      ["030/1234567", "+49 (0)30 1234567"],
      ["30 1234567", "+49 30 1234567"],
      ["1234567", "+49 30 1234567"],
      ["06 1234567", "+39 06 1234567"],
      ["2012 3456 x7", "0037120123456 ext. 7"],
    ] as const
  ) {
    assert.ok(alike(national, international), national);
    assert.ok(alike(international, national), international);
  }
});

test("other numbers are not alike: of one spelling, with other ends or extensions, or too short", () => {
  for (
    const [a, b] of [
      ["+372 2012 3456", "+371 2012 3456"],
      ["2012 3456", "02012 3456"],
      ["2012 3457", "+371 2012 3456"],
      ["2012 3456", "+371 2012 3456 x7"],
      ["2012 3456 x7", "+371 2012 3456 x8"],
      ["23456", "+371 2012 3456"],
    ] as const
  ) {
    assert.ok(!alike(a, b), `${a} and ${b}`);
    assert.ok(!alike(b, a), `${b} and ${a}`);
  }
});
