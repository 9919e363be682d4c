/**
 * Where the engine is known to do something else than the rules say. Such a difference is not reported again: its story is
 * known, and others would hide behind it. An entry goes when the engine is corrected; then the list should be empty.
 */
import type { Day, Scenario } from "./scenario.ts";
import type { Trial } from "./try.ts";

interface LeftOut {
  readonly why: string;
  /** `wrong`: differences from the model, or else laws that are broken; never both. */
  explains(scenario: Scenario, wrong: readonly string[]): boolean;
}

const LEFT_OUT: readonly LeftOut[] = [
  {
    why:
      "Where the address is the key, a row with one that another row of the same file gives up is refused as long as " +
      "its old owner's link leads elsewhere: the same file once more takes it",
    explains: ({ sources }, wrong) =>
      sources.some(({ key }) => key === "email") &&
      wrong.every((each) => /^a second time, line \d+ that was refused plans/.test(each)),
  },
  {
    why: "The column guard counts somebody twice whose rows are refused as duplicates, and so holds sooner",
    explains: ({ days }, wrong) =>
      days.some(({ rows }) => isRepeated(rows, "employee_id") || isRepeated(rows, "email")) &&
      wrong.includes('held by: model [], engine ["column"]'),
  },
  {
    why: "Rows in error are not in what the next input's columns are compared with",
    explains: ({ days }, wrong) =>
      days.length > 2 && wrong.some((each) => /model \["column"\], engine \[\]/.test(each)),
  },
];

function isRepeated(rows: Day["rows"], header: string): boolean {
  return new Set(rows.map(({ cells }) => cells[header])).size < rows.length;
}

export function isKnown(scenario: Scenario, { wrong, breaches }: Trial): boolean {
  if (wrong.length > 0 && breaches.length > 0) return false;
  return LEFT_OUT.some((each) => each.explains(scenario, [...wrong, ...breaches]));
}
