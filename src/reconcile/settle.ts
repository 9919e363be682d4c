/**
 * What only the whole input can tell, once every row has been looked at: who claims what another row claims, who gets
 * what somebody else gives up. Rows that lose take their changes back from the pages.
 */
import {
  CREATED,
  DEACTIVATED,
  FAILED,
  GIVES_EMAIL,
  GIVES_EMPLOYEE_ID,
  LATE_EMAIL,
  LATE_EMPLOYEE_ID,
  LATE_HELD,
  LATE_KEY,
  LATE_USER,
} from "./columns/candidates.ts";
import { type Claim, resolveClaims } from "./conflicts.ts";
import { tellOf } from "./correlate.ts";
import type { Draft } from "./draft.ts";
import { toJson } from "./columns/json-array.ts";
import { encodeChange, type Entry, isCreation, userOfChange } from "./columns/entry.ts";

/** Rejects rows with the same key, email, employee_id or user; each will name the others. */
export function rejectRivals(draft: Draft): void {
  const shared = [
    [draft.keys, LATE_KEY],
    [draft.emails, LATE_EMAIL],
    ...(draft.employeeIds === draft.keys ? [] : [[draft.employeeIds, LATE_EMPLOYEE_ID] as const]),
  ] as const;
  const losers: [number, number, readonly number[]][] = [];
  for (const [claims, bit] of shared) {
    for (const group of claims.shared()) for (const candidate of group) losers.push([candidate, bit, group]);
  }
  for (const [candidate, bit, group] of losers) reject(draft, candidate, bit, group);
  // Only rows that still stand dispute a user: a row that is a duplicate anyway takes nobody with it.
  for (const group of [...draft.users.shared()]) {
    const standing = group.filter((candidate) => draft.candidates.kind[candidate] !== FAILED);
    if (standing.length > 1) { for (const candidate of standing) reject(draft, candidate, LATE_USER, standing); }
  }
}

function reject(draft: Draft, candidate: number, bit: number, rivals: readonly number[]): void {
  draft.candidates.late[candidate]! |= bit;
  draft.candidates.kind[candidate] = FAILED;
  draft.contested.delete(candidate);
  let groups = draft.rivals.get(bit);
  if (groups === undefined) draft.rivals.set(bit, groups = new Map());
  groups.set(candidate, rivals);
}

/** Decides every claim to what somebody holds, and writes those that depend on each other as pages of their own. */
export async function settleClaims(draft: Draft): Promise<void> {
  const { candidates, contested, releasers, context } = draft;
  const isDropped = (candidate: number) => candidates.kind[candidate] === FAILED;
  const claims = [...contested.values()].flatMap((entry) => entry.claims);
  const releases = (claim: Claim) => {
    const candidate = releasers.get(claim.holder);
    if (candidate === undefined) return -1;
    const gives = claim.field === "email" ? GIVES_EMAIL : GIVES_EMPLOYEE_ID;
    return (candidates.flags[candidate]! & gives) === 0 ? -1 : candidate;
  };
  const { refused, groups } = resolveClaims(claims, releases, isDropped);
  const holders = new Map(
    (refused.length === 0 ? [] : await context.lookups.usersById([...new Set(refused.map((claim) => claim.holder))]))
      .map((user) => [user.id, user]),
  );
  for (const claim of refused) {
    const holder = holders.get(claim.holder);
    draft.details.set(
      claim.taker,
      [
        // Somebody who comes back may do so with an address that the row does not say.
        { user: candidates.user[claim.taker]!, is: `${claim.field} "${claim.value}"`, otherwise: `the ${claim.field}` },
        " belongs to ",
        holder === undefined ? "somebody else" : tellOf(holder),
      ],
    );
    reject(draft, claim.taker, LATE_HELD, []);
  }
  const pulled = await pull(draft, groups.flat().filter((candidate) => !contested.has(candidate)));
  const newcomers = groups.flat().filter((candidate) => contested.get(candidate)?.change.action === "create");
  const first = newcomers.length === 0 ? 0 : await context.reserveUserIds(newcomers.length);
  newcomers.forEach((candidate, place) => candidates.user[candidate] = first + place);
  for (const group of groups) {
    const entries = group.map((candidate) => ({
      candidate,
      entry: pulled.get(candidate) ??
        encodeChange({ ...contested.get(candidate)!.change, userId: candidates.user[candidate]! }),
    }));
    const parked = entries.filter(({ entry }) => !isCreation(entry)).map(({ entry }) => userOfChange(entry));
    const page = await context.filler.addTogether("updates", entries.map(({ entry }) => entry), parked);
    entries.forEach(({ candidate }, index) => {
      candidates.page[candidate] = page;
      candidates.index[candidate] = index;
      contested.delete(candidate);
    });
  }
  await takeBack(draft);
}

/** Takes these candidates' entries out of their pages, to be written elsewhere. */
async function pull(draft: Draft, wanted: readonly number[]): Promise<Map<number, Entry>> {
  const { candidates } = draft;
  const members = new Map<number, number[]>();
  for (const candidate of wanted) {
    const page = candidates.page[candidate]!;
    if (page >= 0) members.set(page, [...(members.get(page) ?? []), candidate]);
  }
  const entries = new Map<number, Entry>();
  await removeEntries(
    draft,
    new Map([...members].map(([page, list]) => [page, new Set(list.map((candidate) => candidates.index[candidate]!))])),
    (page, all) => {
      for (const candidate of members.get(page)!) entries.set(candidate, all[candidates.index[candidate]!]!);
    },
  );
  return entries;
}

/** Takes the changes of failed rows out of the pages that they were put on before they failed. */
async function takeBack(draft: Draft): Promise<void> {
  const { candidates, linkEntries } = draft;
  const unwanted = new Map<number, Set<number>>();
  const drop = (page: number, index: number) => {
    let indexes = unwanted.get(page);
    if (indexes === undefined) unwanted.set(page, indexes = new Set());
    indexes.add(index);
  };
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (candidates.kind[candidate] !== FAILED) continue;
    if (candidates.page[candidate]! >= 0) drop(candidates.page[candidate]!, candidates.index[candidate]!);
    const link = linkEntries.get(candidate);
    if (link !== undefined) drop(link.page, link.index);
  }
  await removeEntries(draft, unwanted, () => {});
}

/** Rewrites pages without some of their entries, which `taken` sees before they go. */
async function removeEntries(
  draft: Draft,
  unwanted: ReadonlyMap<number, ReadonlySet<number>>,
  taken: (page: number, entries: readonly Entry[]) => void,
): Promise<void> {
  const { candidates, context, linkEntries } = draft;
  if (unwanted.size === 0) return;
  await context.filler.flush();
  const places = new Map<number, Int32Array>();
  for (const [page, indexes] of unwanted) {
    const entries = await context.pageStore.read(page);
    taken(page, entries);
    const kept = entries.filter((_, index) => !indexes.has(index));
    await context.pageStore.replace(page, toJson(kept), kept.length);
    const moved = new Int32Array(entries.length);
    for (let index = 0, to = 0; index < entries.length; index++) moved[index] = indexes.has(index) ? -1 : to++;
    places.set(page, moved);
  }
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const moved = places.get(candidates.page[candidate]!);
    if (moved === undefined) continue;
    const to = moved[candidates.index[candidate]!]!;
    if (to < 0) candidates.page[candidate] = -1;
    else candidates.index[candidate] = to;
  }
  for (const entry of linkEntries.values()) {
    const moved = places.get(entry.page);
    if (moved !== undefined) entry.index = moved[entry.index]!;
  }
}

/** New departments that a standing change still uses. */
export function usedDepartments(draft: Draft): Set<number> {
  const { candidates } = draft;
  const used = new Set<number>();
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const place = candidates.department[candidate]!;
    const kind = candidates.kind[candidate]!;
    if (place > 0 && kind >= CREATED && kind !== FAILED && kind <= DEACTIVATED + 1) used.add(place - 1);
  }
  return used;
}
