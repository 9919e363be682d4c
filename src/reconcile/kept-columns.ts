/** What became of each column's values among people who were in the last input and are in this one. */
import { isMarked, kindOf, MARK, userOf } from "./columns/candidates.ts";
import type { PassedOver } from "./columns/field-bits.ts";
import { isUnseen, linkOfUser } from "./columns/known.ts";
import { MANAGER_BITS, type Tally, tallyPeople } from "./columns/tally.ts";
import type { Draft } from "./draft.ts";
import { isActive, leavingDayOf } from "./person.ts";
import type { KeptColumn } from "./summarize.ts";

/** Users that are looked up together. */
const BATCH = 2_000;

/** `complete`: who is not in the input is missing. */
export async function keptColumns(
  draft: Draft,
  { active, filledOfActive }: PassedOver,
  isMapped: (field: string) => boolean,
  complete: boolean,
): Promise<KeptColumn[]> {
  const tally = tallyPeople(draft.candidates, draft.tallied);
  const ofLeavers = await reportsOfLeavers(draft, tally, complete);
  return draft.tallied.fields.filter(({ field }) => isMapped(field)).map(({ field, bit }) => {
    const manager = MANAGER_BITS.indexOf(bit);
    const left = manager < 0 ? 0 : ofLeavers.lost[manager]!;
    const before = filledOfActive[bit]! + tally.had[bit]! - left;
    return {
      field,
      people: active + tally.people - (manager < 0 ? 0 : ofLeavers.people),
      before,
      after: before - (tally.lost[bit]! - left) + tally.gained[bit]!,
    };
  });
}

/** People who name no manager any more as theirs has left: how many, and how many of them by manager's field. */
async function reportsOfLeavers(
  draft: Draft,
  { leftManager }: Tally,
  complete: boolean,
): Promise<{ people: number; lost: number[] }> {
  const sum = { people: 0, lost: MANAGER_BITS.map(() => 0) };
  if (leftManager.size === 0) return sum;
  const leaving = await leavers(draft, [...leftManager.keys()], complete);
  for (const [manager, { people, lost }] of leftManager) {
    if (!leaving.has(manager)) continue;
    sum.people += people;
    lost.forEach((n, i) => sum.lost[i]! += n);
  }
  return sum;
}

/** Those of these users who have left, leave by this plan or on a day to come, or are missing. */
async function leavers({ candidates, context }: Draft, ids: number[], complete: boolean): Promise<Set<number>> {
  const leaving = new Set<number>();
  for (let from = 0; from < ids.length; from += BATCH) {
    for (const user of await context.lookups.usersById(ids.slice(from, from + BATCH))) {
      const link = linkOfUser(context.known, user.id);
      const isMissing = complete && link !== null && isUnseen(context.known, link);
      if (!isActive(user) || leavingDayOf(user.image) !== null || isMissing) leaving.add(user.id);
    }
  }
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const leaves = kindOf(candidates, candidate) === "deactivated" ||
      isMarked(candidates, candidate, MARK.advancesDeactivation);
    if (leaves) leaving.add(userOf(candidates, candidate));
  }
  return leaving;
}
