/** Decides every claim to a value that another user holds, and writes dependent changes as pages of their own. */
import { hasFailed, isMarked, LATE, MARK, putOnPage, setUser, userOf } from "./columns/candidates.ts";
import { encodeChange, type Entry, isCreation, userOfChange } from "./columns/entry.ts";
import { pullEntries, takeBackFailed } from "./columns/rewrite-pages.ts";
import { type Claim, resolveClaims } from "./claims.ts";
import type { Draft } from "./draft.ts";
import { describePerson } from "./person.ts";
import { reject } from "./rivals.ts";

export async function settleClaims(draft: Draft): Promise<void> {
  const { candidates, contested } = draft;
  const claims = [...contested.values()].flatMap((entry) => entry.claims);
  const { refused, groups } = resolveClaims(
    claims,
    (claim) => releaserOf(draft, claim),
    (candidate) => hasFailed(candidates, candidate),
  );
  await refuse(draft, refused);
  const pulled = await pullEntries(draft, groups.flat().filter((candidate) => !contested.has(candidate)));
  await reserveUsers(draft, groups.flat());
  for (const group of groups) await writeTogether(draft, group, pulled);
  await takeBackFailed(draft);
}

/** The candidate whose change makes the holder give the value up. */
export function releaserOf({ candidates, movers, releasers }: Draft, { holder, field }: Claim): number | null {
  if (field === "key") return movers.get(holder) ?? null;
  const candidate = releasers.get(holder);
  const gives = field === "email" ? MARK.givesEmail : MARK.givesEmployeeId;
  return candidate === undefined || !isMarked(candidates, candidate, gives) ? null : candidate;
}

/** Rejects the takers, and notes the details for their messages. */
async function refuse(draft: Draft, refused: readonly Claim[]): Promise<void> {
  const { candidates, context, details } = draft;
  const ids = [...new Set(refused.map((claim) => claim.holder))];
  const users = ids.length === 0 ? [] : await context.lookups.usersById(ids);
  const holders = new Map(users.map((user) => [user.id, user]));
  for (const { taker, holder: id, field, value } of refused) {
    const holder = holders.get(id), name = field === "key" ? context.key : field;
    details.set(taker, [
      // A user who is reactivated may claim an address that the row does not have.
      { user: userOf(candidates, taker), is: `${name} "${value}"`, otherwise: `the ${name}` },
      " belongs to ",
      holder === undefined ? "somebody else" : describePerson(holder),
    ]);
    reject(draft, taker, LATE.held, []);
  }
}

/** Reserves ids for the new people among these candidates. */
async function reserveUsers({ candidates, contested, context }: Draft, members: readonly number[]): Promise<void> {
  const newcomers = members.filter((candidate) => contested.get(candidate)?.change.action === "create");
  if (newcomers.length === 0) return;
  const first = await context.reserveUserIds(newcomers.length);
  newcomers.forEach((candidate, place) => setUser(candidates, candidate, first + place));
}

/** Writes changes that depend on each other as one page: emails and ids that move are freed before any is set. */
async function writeTogether(
  { candidates, contested, context }: Draft,
  group: readonly number[],
  pulled: ReadonlyMap<number, Entry>,
): Promise<void> {
  const entries = group.map((candidate) =>
    pulled.get(candidate) ??
      encodeChange({ ...contested.get(candidate)!.change, userId: userOf(candidates, candidate) })
  );
  const parked = entries.filter((entry) => !isCreation(entry)).map(userOfChange);
  const page = await context.filler.addTogether("updates", entries, parked);
  group.forEach((candidate, index) => {
    putOnPage(candidates, candidate, page, index);
    contested.delete(candidate);
  });
}
