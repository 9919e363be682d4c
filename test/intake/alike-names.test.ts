import assert from "node:assert/strict";
import { test } from "node:test";
import { nameWithoutDates } from "../../src/intake/alike-names.ts";

test("names that differ in a date, a time or a number are alike", () => {
  for (
    const [one, other] of [
      ["people_2026-11-29.csv", "people_2026-11-30.csv"],
      ["people_2026-11-29.csv", "People 30 Nov 2026.csv"],
      ["people.csv", "people (2).csv"],
      ["people-20261130T020000Z.csv", "people-20261201T020000.csv"],
      ["people 9am.csv", "people 10:30 pm.csv"],
      ["20261129.csv", "20261130.csv"],
      ["staff-monday.csv", "staff-tue.csv"],
      ["staff March.csv", "staff 1st April.csv"],
    ]
  ) assert.equal(nameWithoutDates(one!), nameWithoutDates(other!), `${one} and ${other}`);
});

test("names that differ in a word, or in what they end in, are not", () => {
  for (
    const [one, other] of [
      ["Europe.csv", "Asia.csv"],
      ["people.csv", "people.xlsx"],
      ["people_2026-11-30.csv", "departments_2026-11-30.csv"],
      ["Zürich 2026.csv", "Zurich 2026.csv"],
      ["people.csv", "peoplet.csv"],
    ]
  ) assert.notEqual(nameWithoutDates(one!), nameWithoutDates(other!), `${one} and ${other}`);
});
