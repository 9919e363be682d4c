/**
 * Where the engine is known to do something else than the rules say. Such a difference is not reported again: its story is
 * known, and others would hide behind it. An entry goes when the engine is corrected; then the list should be empty.
 */
import type { Scenario } from "./scenario.ts";
import type { Trial } from "./try.ts";

interface LeftOut {
  readonly why: string;
  explains(scenario: Scenario, wrong: readonly string[]): boolean;
}

const LEFT_OUT: readonly LeftOut[] = [
  {
    why: "A row with somebody's address under another number lacks a required field, and is refused for that first",
    explains: (_, wrong) =>
      wrong.length > 0 &&
      wrong.every((each) => /model "identity_conflict", engine \["required_field_missing"\]/.test(each)),
  },
  {
    why:
      "In a part of the people such a row whose status is empty makes nobody and is warned of, where the model refuses it",
    explains: ({ days }, wrong) =>
      days.some(({ headers, rows }) =>
        headers.includes("is_active") && rows.some(({ cells }) => cells.is_active!.trim() === "")
      ) && wrong.some((each) => /^line \d+: model "failed", engine "no change"/.test(each)),
  },
  {
    why: "Rows in error are not in what the next input's columns are compared with",
    explains: ({ days }, wrong) =>
      days.length > 2 && wrong.some((each) => /model \["column"\], engine \[\]/.test(each)),
  },
];

export function isKnown(scenario: Scenario, { wrong, breaches }: Trial): boolean {
  return breaches.length === 0 && LEFT_OUT.some((each) => each.explains(scenario, wrong));
}
