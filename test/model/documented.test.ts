/** docs/issues.md says in the words of those who send files what happens to a row, for everything that a hub may answer. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { issuesDocument, OF_RUNS } from "../../packages/issues.ts";
import { WHY_LEFT } from "../../src/model/bridge-wire.ts";
import { CODES } from "../../src/model/codes.ts";
import { FAULTS } from "../../src/model/errors.ts";
import { GUARD_NAMES } from "../../src/model/guards.ts";

const document = readFileSync(new URL("../../docs/issues.md", import.meta.url), "utf8");
const sections = document.replace(/^<!--.*-->\n/gm, "").split(/^(?=##)/m)
  .filter((section) => section.startsWith("### "))
  .map((section) => /^### (\S+)\n\n(.*)$/s.exec(section)!.slice(1) as [string, string]);

const KNOWN = [
  ...Object.keys(CODES),
  ...GUARD_NAMES,
  "revert",
  "parts",
  ...WHY_LEFT.filter((why) => why !== "too_large"),
  "superseded",
  "cancelled",
  ...OF_RUNS,
];

test("every code of an issue, every guard, and every reason why a file is not used has its section, once", () => {
  assert.deepEqual(sections.map(([name]) => name).sort(), KNOWN.sort());
  for (const code of OF_RUNS) assert.ok(code in FAULTS, code);
});

test("each section says what happens and what to do, in sentences and without the API", () => {
  for (const [name, text] of sections) {
    const [sentences] = text.trim().split("\n\n_");
    assert.match(sentences!, /^[A-Z].{40,}[.]$/s, name);
    assert.doesNotMatch(text, /\b(?:GET|POST|PATCH|DELETE|PUT)\b|\/v1\//, name);
  }
});

test("the sections of codes are those that npm run issues writes", () => {
  assert.equal(issuesDocument(document), document, "npm run issues writes it anew");
  for (const [name, text] of sections.filter(([name]) => name in CODES)) assert.match(text, /\n\n_.+:_/, name);
});
