/** Real values are replaced by invented ones that keep their kind and what belongs together. */
import assert from "node:assert/strict";
import test from "node:test";
import { createFakes, WORD } from "../../../src/kit/record/fakes.ts";

const NOW = Date.parse("2026-03-02");
const REAL = "Ana Sol, ANA SOL, ana.sol@acme.test, E-10017, 0049 30 123456, 1987-05-03, the Sales team";
const fakesOf = (real = REAL) =>
  createFakes({
    real: new Set([...real.matchAll(WORD)].map(([word]) => word.toLowerCase())),
    readAt: NOW,
    playedAt: NOW,
  });

test("the same is replaced by the same, in any letters and any text, and another by another", () => {
  const { text, digits } = fakesOf();
  const [first, last] = text("Ana Sol").split(" ");
  assert.equal(text("Sol, Ana (Ana)"), `${last}, ${first} (${first})`);
  assert.equal(text("ANA ana"), `${first!.toUpperCase()} ${first!.toLowerCase()}`);
  assert.equal(text("Ana.Sol@acme.test").toLowerCase(), text("ana.sol@acme.test"));
  assert.equal(text("E-10017").split("-")[1], digits("10017"));
  const many = Array.from({ length: 2000 }, (_, i) => text(`name${i} ${"abcdefghij"[i % 10]}${i} Word`));
  assert.equal(new Set(many).size, many.length);
});

test("no word of the real texts is left", () => {
  for (let i = 0; i < 20; i++) {
    const made = fakesOf().text(REAL).toLowerCase();
    for (const word of ["ana", "sol", "acme", "1987-05-03", "sales", "team"]) {
      assert.ok(!made.includes(word), `${word} in ${made}`);
    }
    // A number may be a part of a longer one by chance, which tells nobody anything.
    const words = [...made.matchAll(WORD)].map(([word]) => word);
    for (const number of ["10017", "0049", "123456"]) assert.ok(!words.includes(number), `${number} in ${made}`);
  }
});

test("dates, addresses, numbers and identifiers keep their kind, and what is past stays past", () => {
  const { text, time } = fakesOf();
  assert.match(text("1987-05-03"), /^19(8[4-7])-\d\d-\d\d$/);
  assert.match(text("2031-05-03T09:23:11.52+02:00"), /^203[1-4]-\d\d-\d\dT12:00:00\.00\+02:00$/);
  assert.match(text("03.05.1987"), /^(0[1-9]|1[0-2])\.(0[1-9]|1[0-2])\.198[4-7]$/);
  assert.match(text("19870503"), /^198[4-7](0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/);
  assert.equal(text("9999-12-31"), "9999-01-01");
  assert.match(text("ana@acme.test"), /^[a-z.]+@example\.com$/);
  assert.match(text("3f2504e0-4f89-41d3-9a0c-0305e82c3301"), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.match(text("10017"), /^[1-9]\d{4}$/);
  assert.ok(time(NOW - 1) < NOW && time(NOW) >= NOW);
});
