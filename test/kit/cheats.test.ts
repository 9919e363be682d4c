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

/** Those that break one law and keep all others. */
const ALONE: Readonly<Record<string, string>> = {
  "other-form-after-last": "a second run over the same source changes nobody",
  "needs-an-order": "rows in another order give the same people",
  "numbers-what-comes-again": "rows that come again on the next page do no harm to people",
  "forgets-a-setting": "settings of earlier versions become those of the cases",
  "migration-throws": "settings of earlier versions become those of the cases",
  "refuses-what-it-migrated": "it takes the settings that it has migrated",
  "migrates-again": "settings that were migrated stay as they are when they are migrated again",
  "keeps-an-old-state": "a state of an earlier version is given up, or taken up by its fetch",
  "state-migration-throws": "a state of an earlier version is given up, or taken up by its fetch",
};

for (const [cheat, words] of Object.entries(CHEATS)) {
  test(`the laws find the connector "${cheat}"`, { skip: onlyInCheckOnDeno }, async () => {
    const law = LAWS.find(({ name }) => name.includes(words));
    assert.ok(law !== undefined, words);
    const subject = await loadSubject(new URL(`./cheats/${cheat}.ts`, import.meta.url), CASES);
    await assert.rejects(law.hold(subject, () => {}), assert.AssertionError);
  });
}

for (const [cheat, law] of Object.entries(ALONE)) {
  test(`the connector "${cheat}" breaks one law, and no other`, { skip: onlyInCheckOnDeno }, async () => {
    const subject = await loadSubject(new URL(`./cheats/${cheat}.ts`, import.meta.url), CASES);
    const broken = new Map<string, string>();
    for (const { name, hold } of LAWS) {
      await hold(subject, () => {}).catch((error) => {
        assert.ok(error instanceof assert.AssertionError, error);
        broken.set(name, error.message);
      });
    }
    assert.deepEqual([...broken.keys()], [law], [...broken.values()].join("\n"));
  });
}
