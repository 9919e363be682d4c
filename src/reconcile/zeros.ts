/**
 * Finds ids that have lost their leading zeros: a spreadsheet turns 000123 into 123, and a row with 123 would create a
 * second person. Searched only when no user has the id as it is. No clock.
 */
import type { Piece } from "../model/record.ts";
import type { Draft } from "./draft.ts";
import { zerosKept } from "./issues/people.ts";
import type { Match } from "./match.ts";
import { employeeIdOf, textOf } from "./person.ts";
import type { Validated } from "./validated.ts";

/** Whether the id may have lost leading zeros. */
export function mayLackZeros(id: string): boolean {
  return /^[1-9]\d{0,98}$/.test(id);
}

/** The record without an employee_id that is the user's own without its leading zeros, where it is not the key. */
export function keepZeros({ context }: Draft, record: Validated, matched: Match): Validated {
  if (context.key === "employee_id" || matched.kind === "unmatched" || matched.kind === "disputed") return record;
  const { user } = matched, given = textOf(record.values.employee_id), own = employeeIdOf(user.image);
  if (given === null || own === null || given.length >= own.length || own !== given.padStart(own.length, "0")) {
    return record;
  }
  const { employee_id: _, ...values } = record.values;
  return { ...record, values, issues: [...record.issues, zerosKept(given, { id: own, user: user.id })] };
}

/** Notes the length of an id with leading zeros. */
export function noteZeros(draft: Draft, id: string): void {
  if (id.charCodeAt(0) === ZERO && /^\d+$/.test(id)) draft.zeroLengths.add(id.length);
}

const ZERO = 48;

/** The id with as many leading zeros as an id in the input or the hub has, for messages, by the id without them. */
export async function restoreZeros(
  draft: Draft,
  ids: readonly string[],
  inInput: (id: string) => boolean,
): Promise<Map<string, Piece>> {
  const { lookups } = draft.context;
  const restored = new Map<string, Piece>();
  for (const id of ids) {
    for (const length of draft.zeroLengths) {
      const padded = id.padStart(length, "0");
      if (length > id.length && inInput(padded)) restored.set(id, `"${padded}"`);
    }
  }
  const open = ids.filter((id) => !restored.has(id));
  if (!lookups.hasUsers || open.length === 0) return restored;
  for (const [id, known] of await lookups.withLeadingZeros(open)) {
    restored.set(id, { user: known.user, is: `"${known.id}"`, otherwise: "the id with its zeros" });
  }
  return restored;
}
