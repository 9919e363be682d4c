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
    why:
      "An id without its zeros, with the email and the names of the person, is taken for a new number; and where it is " +
      "refused, the person counts as missing",
    explains: (scenario) => {
      const numbers = cellsOf(scenario, "employee_id");
      const bare = new Set(numbers.map((number) => number.replace(/^0+/, "")));
      return bare.size < new Set(numbers).size;
    },
  },
  {
    why: "A new number with one name and the email of somebody lacks a required field first, and is refused for that",
    explains: (_, wrong) =>
      wrong.length > 0 &&
      wrong.every((each) => /model "identity_conflict", engine \["required_field_missing"\]/.test(each)),
  },
  {
    why: "Rows in error are not in what the next input's columns are compared with",
    explains: ({ days }, wrong) =>
      days.length > 2 && wrong.some((each) => /model \["column"\], engine \[\]/.test(each)),
  },
  {
    why: "A placeholder for a date and an empty date do not say the same to it",
    explains: ({ days }) =>
      days.some(({ rows }) =>
        rows.some((row) =>
          row.cells.deactivation_date === "n/a" &&
          rows.some((other) => other !== row && other.cells.employee_id === row.cells.employee_id)
        )
      ),
  },
  {
    why: "A row of which only the leaving was used is taken for unchanged in the next input",
    explains: ({ days }, wrong) =>
      wrong.some((each) => /model "updated", engine "no change"/.test(each)) &&
      days.some(({ rows }) => new Set(rows.map(({ cells }) => cells.employee_id)).size < rows.length),
  },
  {
    why:
      "With the email as the key, a row of a leaver is refused where another row without a key has the same employee_id",
    explains: ({ key }, wrong) =>
      key === "email" && wrong.some((each) => /model "deactivated", engine "failed"/.test(each)),
  },
  {
    why: "A leaver under a new number, with their address and one other name, is skipped instead of refused",
    explains: ({ key }, wrong) =>
      key === "employee_id" && wrong.some((each) => /^line \d+: model "failed", engine "no change"/.test(each)),
  },
];

/** Of the laws, too: a leaver under a new number is skipped where the row of somebody new with their address comes first. */
function isKnownOfOrder({ key, days }: Scenario): boolean {
  return key === "employee_id" && days.some(({ rows }) => {
    const addresses = rows.map(({ cells }) => cells.email!.trim().toLowerCase()).filter((email) => email !== "");
    return new Set(addresses).size < addresses.length;
  });
}

export function isKnown(scenario: Scenario, { wrong, breaches }: Trial): boolean {
  if (breaches.length > 0) return isKnownOfOrder(scenario) && breaches.every((each) => each.includes("turned round"));
  return LEFT_OUT.some((each) => each.explains(scenario, wrong)) ||
    (isKnownOfOrder(scenario) && wrong.some((each) => /model "deactivated", engine "no change"/.test(each)));
}

function cellsOf({ days }: Scenario, header: string): string[] {
  return days.flatMap(({ rows }) => rows.map(({ cells }) => cells[header]!));
}
