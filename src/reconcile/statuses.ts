/**
 * Finds selected employment statuses that no row of a whole input has: misspelled, or renamed in the source. No clock.
 */
import type { Issue } from "../model/record.ts";
import type { Draft } from "./draft.ts";
import { foldName } from "./fold.ts";
import { passedOverUsers } from "./columns/known.ts";
import { statusNotInSource } from "./issues/input.ts";

const BATCH = 5_000;

/** Notes the status of a planned row. */
export function noteStatus(draft: Draft, status: string): void {
  draft.statusesSeen.add(foldName(status));
}

/** A warning for each selected status that is not in the input. Call once every row has been read. */
export async function absentStatuses(draft: Draft): Promise<Issue[]> {
  const { known, policy, lookups } = draft.context;
  const seen = draft.statusesSeen;
  let absent = (policy.only_statuses ?? []).filter((status) => !seen.has(foldName(status)));
  if (absent.length === 0) return [];
  // Rows that were passed over have their users' statuses.
  for (const ids of passedOverUsers(known, BATCH)) {
    for (const status of await lookups.statusesOf(ids)) seen.add(foldName(status));
    absent = absent.filter((status) => !seen.has(foldName(status)));
    if (absent.length === 0) break;
  }
  return absent.map(statusNotInSource);
}
