/**
 * Rows that give people each other's address or id, or give somebody the names of another whose row changes, too: what is
 * left of a sheet that was sorted in part. Only the whole input shows it. They are refused until a person accepts them, and
 * so is the row whose old names are taken: once it was applied, the same input would show nothing of it any more.
 */
import { hasFailed, kindOf, LATE, setUser, userOf } from "./columns/candidates.ts";
import { foundBy, type FoundUser } from "./conflicts.ts";
import type { Draft, Exchanges } from "./draft.ts";
import { compareNames, nameForms, type PersonName } from "./names.ts";
import type { Decision } from "./decide/revision.ts";
import { describePerson, type KnownUser, nameOf } from "./person.ts";
import type { MatchedRow } from "./place.ts";
import { compareWithUser, nameIn } from "./contradiction.ts";
import type { Validated } from "./validated.ts";
import { reject } from "./rivals.ts";
import { releaserOf } from "./settle-claims.ts";

/** Notes the names that a changed row gives up and takes. */
export function noteChange(
  draft: Draft,
  { candidate, record, own }: MatchedRow,
  { before, after }: Decision,
  matched: FoundUser,
): void {
  const { context, exchanges } = draft;
  if (own === null || before === null) return;
  const isRenamed = "first_name" in before || "last_name" in before;
  if (!isRenamed && !("email" in before) && !("employee_id" in before)) return;
  const { field } = foundBy(draft, record, matched);
  if (field !== context.key) exchanges.foundBy.set(candidate, field);
  if (context.identities.isAccepted(own.id, record)) exchanges.accepted.add(candidate);
  if (isRenamed) noteNames(exchanges, candidate, nameOf(own.image), nameOf(after));
}

/** Notes the names of somebody whose row is refused: it would have changed them. */
export function noteRefused(
  { candidates, exchanges }: Draft,
  candidate: number,
  { values }: Validated,
  user: KnownUser,
): void {
  setUser(candidates, candidate, user.id);
  const { first, last } = compareWithUser(values, user);
  if (first === "differs" || last === "differs") exchanges.renamed.add(candidate);
  for (const form of nameForms(nameOf(user.image))) exchanges.names.claim(form, candidate * 2);
}

/** Notes the names of somebody new, who may be a person whose row is about another one now. */
export function noteNewcomer({ context, exchanges }: Draft, candidate: number, { values }: Validated): void {
  if (context.known.size === 0) return;
  for (const form of nameForms(nameIn(values))) exchanges.names.claim(form, candidate * 2 + 1);
}

function noteNames({ names, renamed }: Exchanges, candidate: number, before: PersonName, after: PersonName): void {
  const { first, last } = compareNames(before, after);
  if (first !== "differs" && last !== "differs") return;
  if (first === "differs" && last === "differs") renamed.add(candidate);
  for (const form of nameForms(before)) names.claim(form, candidate * 2);
  for (const form of nameForms(after)) names.claim(form, candidate * 2 + 1);
}

/** What a candidate takes from another user; `former`: its user's names, which go to the other one. */
interface Taken {
  readonly what: "email" | "employee_id" | "names" | "former";
  /** Null: somebody new. */
  readonly from: number | null;
}

function wording({ what }: Taken): [string, string] {
  switch (what) {
    case "names":
      return ["its names are those of ", ", whose row has other names now"];
    case "former":
      return ["it has other names, and the row of ", " has the names of before"];
    default:
      return [`its ${what} is that of `, ", whose row takes another's in turn"];
  }
}

export async function refuseExchanges(draft: Draft): Promise<void> {
  const { candidates, context, details, exchanges } = draft;
  const names = [...takenNames(draft)];
  const taken = new Map<number, Taken>([
    ...names.filter(([, { what }]) => what === "former"),
    ...names.filter(([, { what }]) => what === "names"),
    ...takenInTurn(draft, "email"),
    ...takenInTurn(draft, "employee_id"),
  ]);
  for (const candidate of taken.keys()) {
    if (exchanges.accepted.has(candidate) || hasFailed(candidates, candidate)) taken.delete(candidate);
  }
  draft.conflicts += taken.size;
  if (taken.size === 0 || context.identities.areAllAccepted) return;
  const users = await context.lookups.usersById([...new Set([...taken.values()].flatMap(({ from }) => from ?? []))]);
  const others = new Map(users.map((user) => [user.id, user]));
  for (const [candidate, each] of taken) {
    const [before, after] = wording(each);
    details.set(candidate, [
      before,
      each.from === null ? "somebody new" : describePerson(others.get(each.from)!),
      after,
    ]);
    if (kindOf(candidates, candidate) === "created") exchanges.newcomers.add(candidate);
    reject(draft, candidate, LATE.exchanged, []);
  }
  exchanges.names.clear();
}

/** Candidates that take the names of a user whose row is another one that changes, and those whose names are taken. */
function* takenNames({ candidates, exchanges }: Draft): Iterable<[number, Taken]> {
  for (const owners of exchanges.names.shared()) {
    const givers = owners.filter((owner) => owner % 2 === 0).map((owner) => owner / 2);
    const takers = owners.filter((owner) => owner % 2 === 1).map((owner) => (owner - 1) / 2);
    const open = takers.filter((taker) => !exchanges.accepted.has(taker) && !hasFailed(candidates, taker));
    const isNew = (taker: number) => kindOf(candidates, taker) === "created";
    // Somebody new may well be called as another was who has married, but not as one of whom both names have gone.
    const fits = (giver: number, taker: number) =>
      giver !== taker && (!isNew(taker) || (exchanges.renamed.has(giver) && !exchanges.accepted.has(giver)));
    for (const taker of open) {
      const giver = givers.find((candidate) => fits(candidate, taker));
      if (giver !== undefined) yield [taker, { what: "names", from: userOf(candidates, giver) }];
    }
    for (const giver of givers) {
      const taker = open.find((candidate) => fits(giver, candidate));
      if (taker === undefined) continue;
      yield [giver, { what: "former", from: isNew(taker) ? null : userOf(candidates, taker) }];
    }
  }
}

/** Candidates that take a value from each other, or round in a circle. */
function* takenInTurn(draft: Draft, field: "email" | "employee_id"): Iterable<[number, Taken]> {
  const claims = [...draft.contested.values()].flatMap((entry) =>
    entry.claims.filter((claim) => claim.field === field)
  );
  const next = new Map<number, number>(), from = new Map<number, number>();
  for (const claim of claims) {
    const releaser = releaserOf(draft, claim);
    if (releaser === null) continue;
    next.set(claim.taker, releaser);
    from.set(claim.taker, claim.holder);
  }
  for (const taker of inCircles(next)) yield [taker, { what: field, from: from.get(taker)! }];
}

/** Those who come back to themselves by `next`. */
function* inCircles(next: ReadonlyMap<number, number>): Iterable<number> {
  const visited = new Set<number>();
  for (const start of next.keys()) {
    const path: number[] = [];
    let at: number | undefined = start;
    for (; at !== undefined && !visited.has(at); at = next.get(at)) {
      visited.add(at);
      path.push(at);
    }
    const begin = at === undefined ? -1 : path.indexOf(at);
    if (begin >= 0) yield* path.slice(begin);
  }
}
