/**
 * Finds ids that have lost their leading zeros: a spreadsheet turns 000123 into 123, and a row with 123 would create a
 * second person. Searched only when no user has the id as it is. No clock.
 */
import type { Piece } from "../model/record.ts";
import type { Draft } from "./draft.ts";

/** Whether the id may have lost leading zeros. */
export function mayLackZeros(id: string): boolean {
  return /^[1-9]\d{0,98}$/.test(id);
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
