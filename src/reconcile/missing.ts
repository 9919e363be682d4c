/**
 * Who was linked and is not in a complete full input: missing. By policy that is only noted, or, after some inputs and
 * some hours, deactivates; never someone whom another connection calls active.
 */
import { ABSENT, addCandidate, DEACTIVATED, GIVES_EMAIL } from "./candidates.ts";
import { isActive, type KnownLink, type KnownUser } from "./correlate.ts";
import type { Draft } from "./draft.ts";
import { UNSEEN } from "./known.ts";
import { encodeChange, IMAGE_INDEX } from "./page.ts";
import type { Issue } from "../model/record.ts";
import { issueOf } from "../model/wording.ts";
import { HOUR_MS } from "../std/time.ts";

const BATCH = 2_000;

export const NOBODY = { missing: 0, newly: 0 };

/** Plans what becomes of everybody not seen. Gives the number of active people who are missing, and of those, for the first time. */
export async function planMissing(draft: Draft): Promise<{ missing: number; newly: number }> {
  const { context } = draft;
  const { known, lookups } = context;
  if (context.policy.coverage !== "full") return NOBODY;
  let missing = 0, newly = 0;
  for (let from = 0; from < known.size;) {
    const ids: number[] = [];
    for (; from < known.size && ids.length < BATCH; from++) {
      if (known.seen[from] === UNSEEN) ids.push(known.users[from]!);
    }
    if (ids.length === 0) continue;
    const users = (await lookups.usersById(ids)).filter(isActive);
    const links = new Map(
      (await lookups.linksOfUsers(users.map((user) => user.id))).map((link) => [link.userId, link]),
    );
    const elsewhere = context.policy.missing === "deactivate"
      ? await lookups.activeElsewhere(users.map((user) => user.id))
      : new Set<number>();
    for (const user of users) {
      const link = links.get(user.id)!;
      missing++;
      if (link.missingSince === null) newly++;
      planAbsent(draft, user, link, elsewhere.has(user.id));
    }
    await context.filler.writeFull();
    await context.writeReport();
  }
  return { missing, newly };
}

function planAbsent(draft: Draft, user: KnownUser, link: KnownLink, elsewhere: boolean): void {
  const { context, candidates } = draft;
  const { policy, filler } = context;
  if (link.missingSince === null) filler.add("missing", [link.key, context.now, context.fullInputs]);
  if (policy.missing === "keep" || !policy.deactivate || elsewhere) return;
  const inputs = context.fullInputs - (link.missingFrom ?? context.fullInputs) + 1;
  const since = link.missingSince ?? context.now;
  if (inputs < policy.missing_after_runs || context.now - since < policy.missing_after_hours * HOUR_MS) return;
  const edited = (user.image[IMAGE_INDEX.edited_by_hand] as string[] | null) ?? [];
  // Set active by hand: that holds until a source says otherwise, and absence says nothing.
  if (edited.includes("status")) return;
  if (policy.protected.has(user.id)) {
    context.report({
      n: -1,
      line: null,
      key: link.key,
      origin: null,
      cells: [],
      issues: [protectedAbsent(user.id, link.key)],
    });
    return;
  }
  const candidate = addCandidate(candidates, -1, null);
  const after = user.image.slice();
  after[IMAGE_INDEX.status] = "inactive";
  if (user.image[IMAGE_INDEX.source_id] !== context.connectionId) {
    after[IMAGE_INDEX.field_sources] = {
      ...(user.image[IMAGE_INDEX.field_sources] as Record<string, number> | null),
      status: context.connectionId,
    };
  }
  candidates.user[candidate] = user.id;
  candidates.kind[candidate] = DEACTIVATED;
  candidates.flags[candidate] = ABSENT | GIVES_EMAIL;
  draft.releasers.set(user.id, candidate);
  const at = filler.add(
    "updates",
    encodeChange({
      action: "deactivate",
      line: null,
      userId: user.id,
      version: user.version,
      reason: "missing",
      before: { status: "active" },
      previousPage: user.lastPage,
      key: null,
      digest: null,
      canonical: null,
      active: false,
      after,
    }),
  );
  candidates.page[candidate] = at.page;
  candidates.index[candidate] = at.index;
}

/** Said of a full input from which nobody can be told to be missing, where somebody could be. */
export function missingUnclear({ context, keyUnread }: Draft, complete: boolean): Issue[] {
  if (context.policy.coverage !== "full" || context.known.size === 0) return [];
  if (complete && keyUnread === null) return [];
  return [{
    severity: "warning",
    code: "missing_unclear",
    field: null,
    value: null,
    message: complete
      ? `The key of line ${keyUnread} cannot be read, so nobody is taken as missing: it may be anybody's row`
      : "The last line has no line end, so nobody is taken as missing: rows may have been cut off",
    suggestion: complete ? "Correct the row" : "Check that the export is whole, and let it end its last line",
  }];
}

function protectedAbsent(user: number, key: string): Issue {
  return issueOf(
    { severity: "warning", code: "protected_user", field: null, value: null },
    [
      { user, is: `"${key}"`, otherwise: "Somebody" },
      " is missing from the input, but is protected and is not deactivated by a run",
    ],
    "Deactivate by hand, or take the person off the connection's protected list",
  );
}
