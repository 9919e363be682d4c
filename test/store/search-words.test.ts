import assert from "node:assert/strict";
import test from "node:test";
import { indexedWords, matchOf, searchedWords, wordsIn } from "../../src/store/people/search-words.ts";

const NOBODY = { firstName: null, lastName: null, preferredName: null, username: null, employeeId: null, email: null };

test("words are letters and digits that stand together, without case, accents and other marks", () => {
  assert.deepEqual(wordsIn("Müller MÜLLER muller"), ["muller"]);
  assert.deepEqual(wordsIn("İpek IRMAK ırmak"), ["ipek", "irmak"]);
  assert.deepEqual(wordsIn("Straße Søren Łukasz Đặng"), ["strasse", "soren", "lukasz", "dang"]);
  assert.deepEqual(wordsIn("ana.o'brien-lopez@mail.example.com"), [
    "ana",
    "o",
    "brien",
    "lopez",
    "mail",
    "example",
    "com",
  ]);
  assert.deepEqual(wordsIn("王小明 Αθηνά ｱﾅ 가나"), ["王小明", "αθηνα", "アナ", "가나"]);
  assert.deepEqual(wordsIn(" _%*\"' "), []);
});

test("a word is cut at forty letters, never within one, and a person has so many words", () => {
  assert.deepEqual(wordsIn("a".repeat(50)), ["a".repeat(40)]);
  assert.deepEqual(wordsIn(`${"a".repeat(39)}𝒳`), [`${"a".repeat(39)}x`]);
  assert.deepEqual(wordsIn(`${"a".repeat(39)}𐐨`), ["a".repeat(39)]);
  const many = Array.from({ length: 100 }, (_, n) => `w${n}`).join(" ");
  assert.equal(indexedWords(1, { ...NOBODY, firstName: many }).split(" ").length, 24);
});

test("each word of the index names its organization, and nothing that is typed is taken for the index's language", () => {
  const person = { ...NOBODY, firstName: "Ana", lastName: "Lopez", employeeId: "007", email: "ana@acme.test" };
  assert.equal(indexedWords(12, person), "12xana 12xlopez 12x007 12xacme 12xtest");
  assert.equal(
    matchOf(12, searchedWords('ana" OR "1xbo* NEAR(')),
    '"12xana"* AND "12xor"* AND "12x1xbo"* AND "12xnear"*',
  );
});

test("a word that begins another is not searched for beside it", () => {
  assert.deepEqual(searchedWords("a an Ana lo"), ["ana", "lo"]);
});
