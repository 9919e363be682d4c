/** Connectors that deceive a hub, each of which breaks a law. */
import assert from "node:assert/strict";
import test from "node:test";
import { LAWS } from "../../src/kit/laws/laws.ts";
import { loadSubject } from "../../src/kit/laws/subject.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { CASES } from "./source.ts";

/** Each with words of a law's name. */
const CHEATS: Readonly<Record<string, string>> = {
  "not-found-is-the-end": "404, 410 or 400",
  "cut-off-is-the-end": "cut off, empty or no JSON",
  "error-is-an-empty-list": "an error in an answer of status 200",
  "resumes-too-late": "going on from any checkpoint",
  "nothing-after-last": "an unchanged source is unchanged or read in full",
  "person-in-checkpoint": "no person is in a fault",
  "global-fetch": "uses only its context",
  "reads-a-file": "uses only its context",
  "imports-files": "uses only its context",
  "secret-in-fault": "no secret is in its rows",
  "secret-in-log": "no secret is in its rows",
  "wrong-kind": "each failure has its kind",
  "no-such-field": "leads to a field of the hub",
  invents: "no field is invented",
  "drops-the-key": "each record has its key",
  "huge-records": "at most 1 MiB",
  random: "says the same of a row again",
  throws: "normalizing does not throw",
  "in-circles": "a circle of pages",
  "other-host": "only its own hosts",
  hoards: "given while they are read",
  "all-is-well": "a check says that a source which refuses",
  "wrong-total": "what it expects in all",
  "takes-anything": "what its published schema refuses",
};

for (const [cheat, words] of Object.entries(CHEATS)) {
  test(`the laws find the connector "${cheat}"`, { skip: onlyInCheckOnDeno }, async () => {
    const law = LAWS.find(({ name }) => name.includes(words));
    assert.ok(law !== undefined, words);
    const subject = await loadSubject(new URL(`./cheats/${cheat}.ts`, import.meta.url), CASES);
    await assert.rejects(law.hold(subject, () => {}), assert.AssertionError);
  });
}
