/** The table of issue codes: complete, and readable by a person. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CODES } from "../../src/model/codes.ts";

const PROMISED = `required_field_missing email_invalid too_long date_invalid value_invalid option_unknown cell_count
  duplicate_in_input identity_conflict source_conflict manager_not_found manager_is_self manager_cycle department_inactive
  department_parent_not_found department_cycle department_has_active_users protected_user changed_since_plan
  number_mangled zeros_lost encoding_invalid delimiter_ambiguous quote_invalid header_missing header_duplicate
  header_unknown header_unused input_empty input_incomplete decryption_failed too_large json_invalid status_unknown`;

test("every code that reports promise has a row", () => {
  for (const code of PROMISED.split(/\s+/)) assert.ok(code in CODES, code);
});

test("codes are lower-case words, and their texts begin with a capital and end without a full stop", () => {
  for (const [code, { when, todo }] of Object.entries(CODES)) {
    assert.match(code, /^[a-z]+(?:_[a-z]+)*$/);
    for (const text of [when, todo]) assert.match(text, /^[A-Z].{15,}[^.]$/, `${code}: ${text}`);
  }
});
