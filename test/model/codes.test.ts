/** The table of issue codes: complete, and readable by a person. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CODES } from "../../src/model/codes.ts";
import { FAULTS } from "../../src/model/errors.ts";
import { helpFor } from "../../src/model/help.ts";
import { RETIRED } from "../support/source-files.ts";

const PROMISED = `required_field_missing email_invalid too_long date_invalid value_invalid option_unknown cell_count
  duplicate_in_input identity_conflict source_conflict manager_not_found manager_is_self manager_cycle department_inactive
  department_parent_not_found department_cycle department_has_active_users protected_user changed_since_plan
  number_mangled zeros_lost encoding_invalid delimiter_ambiguous quote_invalid header_missing header_duplicate
  header_unknown header_unused input_empty input_incomplete decryption_failed too_large json_invalid status_unknown`;

test("every code that reports promise has a row", () => {
  for (const code of PROMISED.split(/\s+/)) assert.ok(code in CODES, code);
});

const EVERY = [...new Set([...Object.keys(CODES), ...Object.keys(FAULTS)])];

test("codes are lower-case words, and their texts begin with a capital and end without a full stop", () => {
  for (const code of EVERY) {
    const { when, then, todo } = helpFor(code)!;
    assert.match(code, /^[a-z]+(?:_[a-z]+)*$/);
    for (const text of [when, then, todo]) assert.match(text, /^[A-Z].{7,}[^.]$/, `${code}: ${text}`);
    // They are read on a phone, too.
    assert.ok(`${when} ${then} ${todo}`.length < 520, `${code} has too long a text`);
  }
});

test("what was done and what to do never repeat what happened", () => {
  for (const code of EVERY) {
    const { when, then, todo } = helpFor(code)!;
    assert.equal(new Set([when, then, todo]).size, 3, code);
    assert.doesNotMatch(todo, /^Correct what the message names$/, code);
  }
});

test("every code of an issue has an example that is wrong before and right after, with made-up people", () => {
  const examples = EVERY.map((code) => ({ code, example: helpFor(code)!.example }));
  assert.deepEqual(examples.filter(({ code, example }) => example === null && code in CODES), []);
  for (const { code, example } of examples) {
    if (example === null) continue;
    const { of, before, after } = example, all = `${of}\n${before}\n${after}`;
    assert.ok(of !== "" && before !== after, code);
    assert.ok(all.length < 200, `${code} has a long example`);
    for (const [, host] of all.matchAll(/[\w.]+@([\w.]+)/g)) assert.match(host!, /^acme(\.(test|example))?$/, code);
    for (const [, host] of all.matchAll(/https?:\/\/([\w.]+)/g)) assert.match(host!, /(^|\.)example\.com$/, code);
  }
});

test("no text has a word that was retired", () => {
  for (const code of EVERY) assert.doesNotMatch(JSON.stringify(helpFor(code)), RETIRED, code);
});
