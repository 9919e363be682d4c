/** The words that CONTRIBUTING retires are in no text, comment or name of the code any more. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { RETIRED, sourceFiles } from "./support/source-files.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where such a word stays, and why. */
const COLUMN = "links.said is a column of the database; renaming it would rewrite a table for a word";
const ALLOWED: Readonly<Record<string, string>> = {
  "src/sources/source.ts: said": "source.said is an event of the log, which operators search for",
  "src/store/people/erased-user.ts: said": COLUMN,
  "src/store/people/schema.ts: said": COLUMN,
  "src/store/runs/apply-links.ts: said": COLUMN,
  "src/store/runs/apply-users.ts: said": COLUMN,
  "src/store/runs/lookups.ts: said": COLUMN,
};

test("no text, comment or name has a retired word", () => {
  const found = sourceFiles(ROOT).flatMap(({ name, text }) =>
    [...text.matchAll(RETIRED)].map(({ 0: word, index }) => {
      const line = text.slice(0, index).split("\n").length;
      return { place: `${name}:${line}`, key: `${name}: ${word.toLowerCase()}`, word };
    })
  );
  const refused = found.filter(({ key }) => !(key in ALLOWED)).map(({ place, word }) => `${place} has "${word}"`);
  assert.deepEqual(refused, [], "CONTRIBUTING (Words) names what to write instead");
  const unused = Object.keys(ALLOWED).filter((key) => found.every((each) => each.key !== key));
  assert.deepEqual(unused, [], "What is allowed and not there any more can be struck off");
});

test("CONTRIBUTING names each retired word, and what is written instead", () => {
  const [, list = ""] = /^Not used any more[^:]*: (.*?)\n\n/ms.exec(readFileSync(`${ROOT}/CONTRIBUTING.md`, "utf8")) ??
    [];
  for (const word of ["said", "told", "whoever", "stands", "mend", "hand in", "fares"]) {
    assert.match(list, new RegExp(`[_ ]${word}[,_]`), word);
  }
});
