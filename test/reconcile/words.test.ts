/** Words for yes and no, and for people who work here or have left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cell } from "../../src/model/record.ts";
import { ACTIVE_WORDS, foldWord } from "../../src/model/value-settings.ts";
import { createActiveReader, createArchivedReader, readYesNo } from "../../src/reconcile/values/boolean.ts";
import { refusedIssue } from "../../src/reconcile/values/issue.ts";
import { isRefusal, type Reader } from "../../src/reconcile/values/value.ts";
import { ACTIVE, INACTIVE, NO, YES } from "../../src/reconcile/values/words.ts";

const readActive = createActiveReader({});
const readArchived = createArchivedReader({});

function isRefused(read: Reader, cell: Cell): boolean {
  const value = read(cell);
  return typeof value === "object" && value !== null && isRefusal(value);
}

function refusal(field: string, read: Reader, cell: Cell): [code: string, message: string, suggestion: string] {
  const value = read(cell);
  assert.ok(typeof value === "object" && value !== null && isRefusal(value), `took ${JSON.stringify(cell)}`);
  const { code, message, suggestion } = refusedIssue("error", field, cell, value);
  return [code, message, suggestion];
}

test("no word means both, each is listed once, in its comparable form", () => {
  const all = [...YES, ...NO, ...ACTIVE, ...INACTIVE];
  assert.deepEqual(all.filter((word, place) => all.indexOf(word) !== place), []);
  assert.deepEqual(all.filter((word) => foldWord(word) !== word), []);
  // A and I are read where a status is expected, and nowhere else.
  assert.deepEqual(all.filter((word) => ["a", "i", "t", "f"].includes(word)), []);
});

/** As spreadsheets in these languages show TRUE and FALSE, and as people write yes and no. */
const LANGUAGES: Readonly<Record<string, readonly [yes: readonly string[], no: readonly string[]]>> = {
  English: [["Yes", "TRUE"], ["No", "FALSE"]],
  German: [["Ja", "WAHR"], ["Nein", "FALSCH"]],
  French: [["Oui", "VRAI"], ["Non", "FAUX"]],
  Spanish: [["Sí", "Si", "VERDADERO"], ["No", "FALSO"]],
  Portuguese: [["Sim", "VERDADEIRO"], ["Não", "Nao", "FALSO"]],
  Italian: [["Sì", "VERO"], ["No", "FALSO"]],
  Dutch: [["Ja", "WAAR"], ["Nee", "ONWAAR"]],
  Polish: [["Tak", "PRAWDA"], ["Nie", "FAŁSZ"]],
  Czech: [["Ano", "PRAVDA"], ["Ne", "NEPRAVDA"]],
  Danish: [["Ja", "SAND"], ["Nej", "FALSK"]],
  Swedish: [["Ja", "SANT"], ["Nej", "FALSKT"]],
  Norwegian: [["Ja", "SANN"], ["Nei", "USANN"]],
  Finnish: [["Kyllä", "TOSI"], ["Ei", "EPÄTOSI"]],
};
for (const [language, [yes, no]] of Object.entries(LANGUAGES)) {
  test(`yes and no are read in ${language}`, () => {
    for (const read of [readActive, readArchived, readYesNo]) {
      for (const word of yes) assert.equal(read(word), true, word);
      for (const word of no) assert.equal(read(word), false, word);
      // Letters and marks may come apart.
      assert.equal(read(yes[0]!.normalize("NFD")), true);
    }
  });
}

test("yes and no have short forms, a mark and JSON's values", () => {
  for (const read of [readActive, readArchived, readYesNo]) {
    for (const yes of ["Y", "On", "1", "x", "X", true, 1]) assert.equal(read(yes), true, String(yes));
    for (const no of ["N", "off", "0", false, 0]) assert.equal(read(no), false, String(no));
    for (const blank of ["", " ", null]) assert.equal(read(blank), null);
    assert.ok(isRefused(read, 2));
  }
});

const WORKING = ["Active", "ENABLED", "Employed", "current", "On Leave", "on_leave", "on-leave", "Leave of Absence"];
const LEFT = "inactive Disabled TERMINATED leaver Left archived suspended resigned retired deceased".split(" ");

test("a status has words for those who work here and those who have left, which archived turns around", () => {
  for (const word of WORKING) assert.deepEqual([readActive(word), readArchived(word)], [true, false], word);
  for (const word of LEFT) assert.deepEqual([readActive(word), readArchived(word)], [false, true], word);
  assert.equal(readArchived("archive"), true);
});

test("on_leave and custom fields know yes and no alone", () => {
  for (const word of [...WORKING, ...LEFT, "A", "I"]) assert.ok(isRefused(readYesNo, word), word);
  assert.deepEqual(refusal("on_leave", readYesNo, "active"), [
    "value_invalid",
    'Cannot use "active" as on_leave: it must be yes or no',
    "Write yes or no",
  ]);
});

test("A is active and I is inactive where a status is expected; T and F are refused, as they mean several things", () => {
  assert.equal(readActive("A"), true);
  assert.equal(readActive("i"), false);
  for (const letter of ["T", "F", "t", "f"]) {
    for (const read of [readActive, readArchived, readYesNo]) assert.ok(isRefused(read, letter), letter);
  }
  for (const letter of ["A", "I"]) assert.ok(isRefused(readArchived, letter), letter);
});

test("an unknown word is refused, and the message names the setting", () => {
  assert.deepEqual(refusal("is_active", readActive, "actve"), [
    "value_invalid",
    'Cannot use "actve" as is_active: it must be yes or no, or a word like active, on leave, inactive, terminated, leaver, archived or suspended',
    "Write yes for people who work here, no for people who have left, or add the word to the connection's active_words",
  ]);
});

test("a connection's own words are read, in any case, and win over the known ones", () => {
  const words = { active: ["Furloughed", "Archived", "T"], inactive: ["Off-boarded", "On Leave"] };
  const own = createActiveReader(words), archived = createArchivedReader(words);
  for (const word of ["furloughed", "ARCHIVED", "t"]) assert.deepEqual([own(word), archived(word)], [true, false]);
  for (const word of ["off boarded", "OFF_BOARDED", "on leave"]) {
    assert.deepEqual([own(word), archived(word)], [false, true]);
  }
  assert.equal(own("yes"), true);
});

test("a word in both lists of a connection is refused, however it is spelled", () => {
  const result = ACTIVE_WORDS.safeParse({ active: ["On leave"], inactive: ["gone", "on_LEAVE"] });
  assert.equal(result.success, false);
  assert.deepEqual(result.error!.issues.map(({ path, message }) => [path, message]), [
    [["inactive", 1], 'should not have "on_LEAVE", which is among the active words, too'],
  ]);
  assert.equal(ACTIVE_WORDS.safeParse({ active: ["on leave"], inactive: ["gone"] }).success, true);
});
