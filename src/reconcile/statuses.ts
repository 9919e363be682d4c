/**
 * Employment statuses that a connection is told to import and that no row of a whole input has: misspelled, or renamed
 * in the source. No clock.
 */
import type { Issue } from "../model/record.ts";
import type { Draft } from "./draft.ts";
import { foldName } from "./fold.ts";
import { HIT } from "./columns/known.ts";

const BATCH = 5_000;

/** Remembers the status of a row that was looked at. */
export function noteStatus(draft: Draft, status: string): void {
  draft.statusesSeen.add(foldName(status));
}

/** A warning for each selected status that is not in the input, of which every row has been read. */
export async function absentStatuses(draft: Draft): Promise<Issue[]> {
  const { known, policy, lookups } = draft.context;
  const seen = draft.statusesSeen;
  let absent = (policy.only_statuses ?? []).filter((status) => !seen.has(foldName(status)));
  // Rows passed over by their digests have the status that their users have.
  for (let from = 0; from < known.size && absent.length > 0;) {
    const ids: number[] = [];
    for (; from < known.size && ids.length < BATCH; from++) {
      if (known.seen[from] === HIT) ids.push(known.users[from]!);
    }
    if (ids.length === 0) continue;
    for (const status of await lookups.statusesOf(ids)) seen.add(foldName(status));
    absent = absent.filter((status) => !seen.has(foldName(status)));
  }
  return absent.map((status) => ({
    severity: "warning",
    code: "status_not_in_source",
    field: "employment_status",
    value: status,
    message: `No row has the employment status "${status}", which this connection is told to import`,
    suggestion: "Choose the connection's statuses again, as the source spells them now",
  }));
}
