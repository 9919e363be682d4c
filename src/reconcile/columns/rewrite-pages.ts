/**
 * Changes filled pages: takes entries out, of rows that failed afterwards or whose changes must be applied with others, and
 * writes some anew. Where entries are taken out later ones move up, so the candidates' places are updated.
 */
import { addTo } from "../../std/add-to.ts";
import type { Draft } from "../draft.ts";
import { type Candidates, hasFailed, indexOf, pageOf, putOnPage, takeOffPage } from "./candidates.ts";
import { decodeChange, encodeChange, type Entry } from "./entry.ts";
import type { UserChange } from "../planned-change.ts";
import { toJson } from "./json-array.ts";

/** Removes and returns these candidates' entries, to be written elsewhere. */
export async function pullEntries(draft: Draft, wanted: readonly number[]): Promise<Map<number, Entry>> {
  const { candidates } = draft, members = byPage(candidates, wanted);
  const entries = new Map<number, Entry>();
  await removeEntries(
    draft,
    new Map([...members].map(([page, list]) => [page, new Set(list.map((each) => indexOf(candidates, each)))])),
    (page, all) => {
      for (const candidate of members.get(page)!) entries.set(candidate, all[indexOf(candidates, candidate)]!);
    },
  );
  return entries;
}

/** Removes the changes of rows that failed after they were put on pages. */
export async function takeBackFailed(draft: Draft): Promise<void> {
  const { candidates, linkEntries } = draft;
  const unwanted = new Map<number, Set<number>>();
  const drop = (page: number, index: number) => {
    let indexes = unwanted.get(page);
    if (indexes === undefined) unwanted.set(page, indexes = new Set());
    indexes.add(index);
  };
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (!hasFailed(candidates, candidate)) continue;
    const page = pageOf(candidates, candidate);
    if (page !== null) drop(page, indexOf(candidates, candidate));
    const link = linkEntries.get(candidate);
    if (link !== undefined) drop(link.page, link.index);
  }
  await removeEntries(draft, unwanted, () => {});
}

/** Writes the changes of these candidates anew, each where it is. */
export async function editChanges(
  { candidates, context }: Draft,
  edits: ReadonlyMap<number, (change: UserChange) => UserChange>,
): Promise<void> {
  if (edits.size === 0) return;
  await context.filler.flush();
  for (const [page, members] of byPage(candidates, edits.keys())) {
    const entries = await context.pageStore.read(page);
    for (const candidate of members) {
      const index = indexOf(candidates, candidate);
      entries[index] = encodeChange(edits.get(candidate)!(decodeChange(entries[index]!)));
    }
    await context.pageStore.replace(page, toJson(entries), entries.length);
  }
}

function byPage(candidates: Candidates, wanted: Iterable<number>): Map<number, number[]> {
  const members = new Map<number, number[]>();
  for (const candidate of wanted) {
    const page = pageOf(candidates, candidate);
    if (page !== null) addTo(members, page, candidate);
  }
  return members;
}

/** Rewrites pages without some of their entries. `taken` is called with each page's entries before. */
async function removeEntries(
  draft: Draft,
  unwanted: ReadonlyMap<number, ReadonlySet<number>>,
  taken: (page: number, entries: readonly Entry[]) => void,
): Promise<void> {
  const { context } = draft;
  if (unwanted.size === 0) return;
  await context.filler.flush();
  /** By page, the place to which each entry moves; -1: it is gone. */
  const moves = new Map<number, Int32Array>();
  for (const [page, indexes] of unwanted) {
    const entries = await context.pageStore.read(page);
    taken(page, entries);
    const kept = entries.filter((_, index) => !indexes.has(index));
    await context.pageStore.replace(page, toJson(kept), kept.length);
    const moved = new Int32Array(entries.length);
    for (let index = 0, to = 0; index < entries.length; index++) moved[index] = indexes.has(index) ? -1 : to++;
    moves.set(page, moved);
  }
  moveUp(draft, moves);
}

function moveUp({ candidates, linkEntries }: Draft, moves: ReadonlyMap<number, Int32Array>): void {
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const page = pageOf(candidates, candidate);
    const moved = page === null ? undefined : moves.get(page);
    if (moved === undefined) continue;
    const to = moved[indexOf(candidates, candidate)]!;
    if (to < 0) takeOffPage(candidates, candidate);
    else putOnPage(candidates, candidate, page!, to);
  }
  for (const entry of linkEntries.values()) {
    const moved = moves.get(entry.page);
    if (moved !== undefined) entry.index = moved[entry.index]!;
  }
}
