/**
 * Missing people: linked, but not in a complete full input. By policy that is only noted, or deactivates them after
 * some inputs and some hours; never people who are active by another connection. If the input comes in parts, each one
 * notes who is in none so far, and who is left after the last is missing.
 */
import type { Issue } from "../model/record.ts";
import { addAbsent, hasFailed, isLate, LATE, putOnPage, setKind } from "./columns/candidates.ts";
import { encodeChange, encodeMissing } from "./columns/entry.ts";
import { linkOfUser, markPresent, namedUsers, unseenUsers } from "./columns/known.ts";
import { type Draft, type UserPlanContext, wholeInput } from "./draft.ts";
import { elsewhereOf, type OtherLink } from "./elsewhere.ts";
import { type Image, IMAGE_INDEX } from "./image.ts";
import { missingUnclear } from "./issues/input.ts";
import { protectedUser } from "./issues/people.ts";
import { noteMissingName } from "./own-keys.ts";
import {
  editedByHand,
  fieldSourcesOf,
  isActive,
  type KnownLink,
  type KnownUser,
  setStatus,
  sourceOf,
  withWriters,
} from "./person.ts";
import { addTo } from "../std/add-to.ts";
import { HOUR_MS } from "../std/time.ts";

const BATCH = 2_000;

export interface Missing {
  /** Missing people who are active. */
  readonly missing: number;
  /** The part of them who are missing for the first time. */
  readonly newly: number;
}

export const NOBODY_MISSING: Missing = { missing: 0, newly: 0 };

/** Plans the changes of people who are not in a complete full input. */
export async function planMissing(draft: Draft): Promise<Missing> {
  const { context } = draft;
  const { known, lookups, policy, ranks } = context;
  if (policy.coverage !== "full") return NOBODY_MISSING;
  let missing = 0, newly = 0;
  // The input does not count for them, so the count of their absences begins one input later.
  for (const { key, missingSince, missingFrom } of draft.absent) {
    context.filler.add("missing", encodeMissing(key, missingSince, (missingFrom ?? context.fullInputs) + 1));
  }
  for (const ids of unseenUsers(known, BATCH)) {
    const all = (await lookups.usersById(ids)).filter((user) => isActive(user) || isSetByHand(user));
    const links = await linksOfAbsent(context, all.map((user) => user.id));
    if (context.part !== null && !context.part.isLast) {
      noteAbsentSoFar(context, context.part.run, links.values());
      await context.filler.writeFull();
      continue;
    }
    const absent = all.filter(({ id }) => links.has(id));
    for (const user of absent) if (!isActive(user)) noteAbsence(context, links.get(user.id)!);
    const users = absent.filter(isActive), active = users.map((user) => user.id);
    const others = new Map<number, OtherLink[]>();
    if (policy.missing === "deactivate" && ranks.hasOthers) {
      for (const link of await lookups.otherLinks(active)) addTo(others, link.userId, link);
    }
    for (const user of users) {
      const link = links.get(user.id)!;
      missing++;
      if (link.missingSince === null) {
        newly++;
        noteMissingName(draft, user);
        noteAbsence(context, link);
      }
      const elsewhere = elsewhereOf(others.get(user.id) ?? [], link, context);
      const action = absenceMeans(user, link, elsewhere.active, context);
      if (action === "deactivate") planAbsent(draft, user);
      else if (action === "protected") reportProtected(draft, user, link);
    }
    await context.filler.writeFull();
    await context.writeReport();
  }
  await noteNamed(draft);
  return { missing, newly };
}

/** Refusals of rows that may be somebody else's. */
const IN_DOUBT = [LATE.sameUser, LATE.held, LATE.samePhone, LATE.exchanged] as const;

/**
 * Ends the absences of people whose rows are there. Of a row that may be somebody else's nobody knows that; and one that is
 * refused brings nobody back, so of somebody who has left as missing it stays known why.
 */
export async function endAbsences({ absent, back, candidates, context: { filler } }: Draft): Promise<void> {
  for (const [candidate, { link, isActive }] of back) {
    const isOpen = !isActive || IN_DOUBT.some((late) => isLate(candidates, candidate, late));
    if (hasFailed(candidates, candidate) && isOpen) absent.push(link);
    else filler.add("missing", encodeMissing(link.key, null, null));
    if (filler.isFull) await filler.writeFull();
  }
}

/** A row that is refused may be about somebody with its address or number. One that is used is about its own person. */
export function markDisputed({ candidates, context: { known }, others }: Draft): void {
  for (const [candidate, ids] of others) {
    if (!hasFailed(candidates, candidate)) continue;
    for (const id of ids) {
      const ordinal = linkOfUser(known, id);
      if (ordinal !== null) markPresent(known, ordinal);
    }
  }
}

/** Whom only the rows of others name is not missing, but may have a row under a new key, too. */
async function noteNamed(draft: Draft): Promise<void> {
  const { context } = draft;
  if (context.part !== null && !context.part.isLast) return;
  for (const ids of namedUsers(context.known, BATCH)) {
    const users = (await context.lookups.usersById(ids)).filter(isActive);
    const links = await linksOfAbsent(context, users.map((user) => user.id));
    for (const user of users) if (links.get(user.id)?.missingSince === null) noteMissingName(draft, user);
  }
}

/** The links by user, without those who are in a part before this one. */
async function linksOfAbsent({ lookups, part }: UserPlanContext, ids: number[]): Promise<Map<number, KnownLink>> {
  const links = await lookups.linksOfUsers(ids);
  const absent = part === null || part.after === null ? links : links.filter((link) => link.absentFrom === part.after);
  return new Map(absent.map((link) => [link.userId, link]));
}

function noteAbsentSoFar({ filler }: UserPlanContext, run: number, links: Iterable<KnownLink>): void {
  for (const { key, missingSince, missingFrom } of links) {
    filler.add("missing", encodeMissing(key, missingSince, missingFrom, run));
  }
}

/** Of somebody set inactive by hand, to return after an absence is a change, so that has to be known. */
function noteAbsence({ filler, now, fullInputs }: UserPlanContext, { key, missingSince }: KnownLink): void {
  if (missingSince === null) filler.add("missing", encodeMissing(key, now, fullInputs));
}

function isSetByHand({ image }: KnownUser): boolean {
  return editedByHand(image).includes("status");
}

/** Active people who are not in a full input whose end, or one of whose keys, is in doubt: nobody is missing from it. */
export async function countAbsent({ context: { known, lookups, policy } }: Draft): Promise<number> {
  if (policy.coverage !== "full") return 0;
  let absent = 0;
  for (const ids of unseenUsers(known, BATCH)) absent += (await lookups.usersById(ids)).filter(isActive).length;
  return absent;
}

/** The change of a missing person. `elsewhere`: they are active by another connection. */
export function absenceMeans(
  user: KnownUser,
  link: KnownLink,
  elsewhere: boolean,
  context: Pick<UserPlanContext, "policy" | "fullInputs" | "now" | "byHand">,
): "nothing" | "deactivate" | "protected" {
  const { policy, fullInputs, now } = context;
  if (policy.missing === "keep" || !policy.deactivate || elsewhere) return "nothing";
  const inputs = fullInputs - (link.missingFrom ?? fullInputs) + 1;
  const sinceMs = now - (link.missingSince ?? now);
  if (inputs < policy.missing_after_runs || sinceMs < policy.missing_after_hours * HOUR_MS) return "nothing";
  // Whom a hand has set active, or a file by hand alone has brought, stays until the source has seen them.
  if (isSetByHand(user) || (link.byHand && !context.byHand)) return "nothing";
  return policy.protected.has(user.id) ? "protected" : "deactivate";
}

function planAbsent(draft: Draft, user: KnownUser): void {
  const { context, candidates } = draft;
  const candidate = addAbsent(candidates, user.id), after = deactivated(user.image, context.connectionId);
  setKind(candidates, candidate, "deactivated");
  const at = context.filler.add(
    "updates",
    encodeChange({
      action: "deactivate",
      line: null,
      userId: user.id,
      version: user.version,
      reason: "missing",
      before: withWriters({ status: "active" }, user.image, after),
      previousPage: user.lastPage,
      key: null,
      digest: null,
      canonical: null,
      active: false,
      after,
    }),
  );
  putOnPage(candidates, candidate, at.page, at.index);
}

function deactivated(image: Image, connectionId: number): Image {
  const after = image.slice();
  setStatus(after, false);
  if (sourceOf(image) !== connectionId) {
    after[IMAGE_INDEX.field_sources] = { ...fieldSourcesOf(image), status: connectionId };
  }
  return after;
}

function reportProtected({ context }: Draft, user: KnownUser, { key }: KnownLink): void {
  const who = { user: user.id, is: `"${key}"`, otherwise: "Somebody" };
  const issues = [protectedUser(who, null, "the input does not have them")];
  context.report(wholeInput(issues, { key }));
}

/** A warning when missing people of a full input cannot be detected. */
export function whyNobodyMissing({ context, keyUnread }: Draft, complete: boolean): Issue[] {
  if (context.policy.coverage !== "full" || context.known.size === 0) return [];
  if (complete) return keyUnread === null ? [] : [missingUnclear(keyUnread)];
  return [missingUnclear(null)];
}
