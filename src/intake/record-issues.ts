/** Why a record cannot be used, where others of its input can. Pure. */
import type { Issue } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";

/** `is`: what is wrong with it, as the end of a sentence. */
export function recordInvalid(is: string): Issue {
  return issueOf(
    { severity: "error", code: "json_invalid", field: null, value: null },
    [`The record ${is}`],
    'Send an object like {"email": "ana@example.com"}',
  );
}

export function recordTooLarge(has: string, most: string): Issue {
  return issueOf(
    { severity: "error", code: "too_large", field: null, value: null },
    [`The record has ${has}; at most ${most} are allowed`],
    "Send less in the record",
  );
}

/** Two keys of one record that are equally good names of a field. */
export function keyTwice(one: string, other: string, field: string): Issue {
  return issueOf(
    { severity: "error", code: "header_duplicate", field, value: other.slice(0, 200) },
    [`The record's keys "${one.slice(0, 200)}" and "${other.slice(0, 200)}" are both "${field}": once is right`],
    "Remove one of the two keys",
  );
}
