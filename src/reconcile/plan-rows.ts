/**
 * Plans rows without a known digest: normalizes and validates the record, finds its user, decides the change. Each row
 * becomes a candidate; its change goes to a page, or is set aside while another user holds a value that it claims.
 *
 * Issues that only the whole input shows (duplicates, managers, values that are given up) are settled afterwards.
 */
import type { Issue, Piece } from "../model/record.ts";
import { type Conflicts, findConflicts, resolveConflict } from "./conflicts.ts";
import { addCandidate } from "./columns/candidates.ts";
import type { RowsToPlan, RowToPlan } from "./columns/recognize.ts";
import { decideCreate, decideUpdate } from "./decide/decide.ts";
import type { DecideContext, Decision } from "./decide/revision.ts";
import type { Draft } from "./draft.ts";
import { elsewhereOf, NOWHERE } from "./elsewhere.ts";
import { noteChange, noteNewcomer, noteRefused } from "./exchanges.ts";
import {
  addressOfOther,
  cellCount,
  disputed,
  phoneSpelledTwice,
  rehiredAsNew,
  twinSkipped,
  whyBroken,
} from "./issues/people.ts";
import { filterUnclear } from "./issues/status.ts";
import { IMAGE_INDEX } from "./image.ts";
import { leaveOut, report } from "./leave-out.ts";
import { type LookedUp, lookUp } from "./look-up.ts";
import { noteManager, withholdManager } from "./managers/references.ts";
import type { Found } from "./match.ts";
import { matchRow, whyZerosLost } from "./match-row.ts";
import {
  claimKeptEmail,
  markSeen,
  noteDoubt,
  noteKnown,
  noteNew,
  noteOthers,
  notePhone,
  noteRow,
  noteUnreadKey,
  othersOf,
  recall,
} from "./note.ts";
import { describePerson, isActiveImage, type KnownUser, textOf } from "./person.ts";
import { mayBeOfAnother, noteMover } from "./moved-keys.ts";
import { isManagerSettled, type MatchedRow, placeRow } from "./place.ts";
import { holderOf, leaverBefore, noteNewName, noteRenumbered, waitsForOwnKeys } from "./own-keys.ts";
import { isStatusCut, isToBeCreated, statusIssues } from "./plan-status.ts";
import { twinOf } from "./twins.ts";
import { addShort, waits, whyCut, whyLone } from "./plan-short.ts";
import { isShort } from "./short-rows.ts";
import { leaverIn, noteStatusCells } from "./status-columns.ts";
import { isOnlyLeaving, onlyLeaving, type Validated, withKeyAlone } from "./validated.ts";
import { keepZeros } from "./zeros.ts";

/** State that the rows of one batch share. */
interface Batch {
  readonly draft: Draft;
  readonly rows: RowsToPlan;
  readonly lookedUp: LookedUp;
  readonly decideContext: DecideContext;
  readonly conflicts: Conflicts;
  /** Whether these rows were passed over by their digests, or postponed, and are planned now. */
  readonly again: boolean;
}

const NO_ISSUES: readonly Issue[] = [];
const NO_USERS: readonly KnownUser[] = [];

export async function planRows(draft: Draft, all: RowsToPlan, again: boolean): Promise<void> {
  const { context, candidates } = draft;
  const { choice } = context;
  const rows = choice === undefined ? all : { ...all, rows: all.rows.filter(({ n }) => !choice.leftOut.has(n)) };
  const records = validateAll(draft, rows);
  const { renumbered } = context;
  const named = renumbered.size === 0 ? [] : rows.rows.flatMap(({ n }) => renumbered.get(n) ?? []);
  const lookedUp = await lookUp(draft, records, named);
  const conflicts = await findConflicts(draft, records, lookedUp);
  const batch: Batch = { draft, rows, lookedUp, decideContext: decideContextOf(draft), conflicts, again };
  for (let i = 0; i < records.length; i++) {
    const row = rows.rows[i]!, record = records[i]!;
    const short = isShort(row.row);
    if (record === null || (short && record.key === null)) {
      const candidate = addCandidate(candidates, row.n, row.row.line);
      noteUnreadKey(draft, candidate, row.row);
      if (short) addShort(draft, row, true);
      leaveOut(draft, candidate, "failed", row, null, [whyBroken(row.row) ?? cellCount(row.row)]);
      continue;
    }
    const found = lookedUp.found(record);
    choice?.names?.note(row.n, record, found);
    const isTwin = record.key !== null && context.twins.has(row.n);
    if (!again && isTwin) draft.twins.add(twinOf(row, record));
    // Each short row counts, also one that waits for another reason.
    const waitsAsShort = !again && short && waits(draft, row, found);
    const waitsForKeys = context.renumbered.has(row.n) || waitsForOwnKeys(draft, record, found, lookedUp);
    const waitsForLinks = mayBeOfAnother(draft, record, found, conflicts);
    if (!again && (isTwin || waitsAsShort || waitsForKeys || waitsForLinks)) {
      noteMover(draft, record, found, lookedUp, conflicts);
      noteRenumbered(draft, record, found, row.n, lookedUp);
      postpone(draft, row, found);
      continue;
    }
    const candidate = addCandidate(candidates, row.n, row.row.line);
    const verdict = isTwin ? draft.twins.verdictOf(row.n) : null;
    if (verdict?.kind === "skipped") {
      leaveOut(draft, candidate, "skipped", row, record.key, [twinSkipped(context.key, record.key!, verdict)]);
      continue;
    }
    // Of rows that do not agree no value counts, so nobody is found by one either.
    const settled = verdict?.kind === "leaves"
      ? planRow(batch, candidate, row, onlyLeaving(record), lookedUp.found(withKeyAlone(context.key, record)))
      : planRow(batch, candidate, row, record, found);
    if (!settled) noteOthers(draft, candidate, found);
  }
  if (draft.arrivals.isFull) await draft.arrivals.place(candidates);
  await context.filler.writeFull();
  await context.writeReport();
}

/** Sets a row aside until the input has been read: the rows of all whom it names are planned then, too. */
function postpone(draft: Draft, { n }: RowToPlan, found: Found): void {
  draft.postponed.add(n);
  if (found.link !== null) markSeen(draft, found.link, false);
  for (const user of othersOf(found)) recall(draft, user.id);
}

/** The rows' records; null: a row that cannot be read. */
function validateAll({ context }: Draft, { rows }: RowsToPlan): (Validated | null)[] {
  const readable = rows.map(({ row }) => row).filter((row) => whyBroken(row) === null);
  for (const row of readable) noteStatusCells(context.facts, context.statusColumns(row.columns), row);
  const verdicts = readable.map(context.rowFilter.judge);
  const records = context.validate(
    readable.map(context.normalize),
    verdicts.map((verdict) => verdict?.verdict ?? "wanted"),
  );
  let next = 0;
  return rows.map(({ row }) => {
    if (row !== readable[next]) return null;
    const record = records[next]!, verdict = verdicts[next++];
    const isOpen = verdict?.verdict === "unclear" && record.active !== false;
    return isOpen ? { ...record, issues: [...record.issues, filterUnclear(verdict.column)] } : record;
  });
}

function decideContextOf({ context }: Draft): DecideContext {
  return {
    connectionId: context.connectionId,
    policy: context.policy,
    today: context.today,
    phones: context.phones,
    customKeys: new Set(context.customFields.map((field) => field.key)),
    byHand: context.byHand,
    readsStatus: () => context.policy.only_statuses !== null || context.facts.hasReadStatus(),
    ranks: context.ranks,
    department: (name) => context.departments.find(name),
    departmentName: (id) => context.departments.nameOf(id),
  };
}

/**
 * Match, decide, note, place. Returns whether the row can be passed over the next time: it changes and reports nothing.
 */
function planRow(batch: Batch, candidate: number, row: RowToPlan, validated: Validated, found: Found): boolean {
  const { draft, lookedUp } = batch;
  const { key } = validated;
  const matched = matchRow(draft, row, validated, found, batch);
  const read = keepZeros(draft, validated, matched);
  const { record, conflict } = resolveConflict(draft, read, matched, batch.conflicts);
  noteRow(draft, candidate, row.row, record, found, { again: batch.again, isRefused: conflict !== null });
  if (matched.kind !== "linked") notePhone(draft, candidate, record);
  draft.columnNotes.add(record.notes, row.row.line);
  if (key === null || record.keyFatal) return leaveOut(draft, candidate, "failed", row, key, record.issues);
  const cut = whyCut(draft, row, record.issues);
  if (cut !== null) return leaveOut(draft, candidate, "failed", row, key, [cut]);
  const leaver = leaverIn(draft.context.facts, draft.context.statusColumns(row.row.columns), row.row);
  if (leaver !== null) {
    draft.columnNotes.add([leaver], row.row.line);
    return leaveOut(draft, candidate, "skipped", row, key, record.issues);
  }
  if (conflict !== null) {
    if (matched.kind !== "unmatched" && matched.kind !== "disputed") {
      noteRefused(draft, candidate, record, matched.user);
    }
    noteDoubt(draft, candidate, row.n, found);
    return leaveOut(draft, candidate, "failed", row, key, [...record.issues, conflict]);
  }
  const isKnown = matched.kind === "linked" || matched.kind === "unlinked";
  const zeros = isKnown ? null : whyZerosLost(draft, record, lookedUp);
  if (zeros !== null) return leaveOut(draft, candidate, "failed", row, key, [...record.issues, zeros]);
  if (matched.kind === "disputed") {
    const people = matched.users.map((user, place) =>
      place === 0 ? describePerson(user) : describePerson(user, "somebody else")
    );
    const issues = [...record.issues, disputed(key, people, matched.why)];
    noteDoubt(draft, candidate, row.n, found);
    return leaveOut(draft, candidate, "failed", row, key, issues);
  }
  const own = matched.kind === "unmatched" ? null : matched.user;
  const link = matched.kind === "linked" ? matched.link : null;
  const alike = link === null ? found.spelledAlike.filter((user) => user.id !== own?.id) : NO_USERS;
  if (alike.length > 0) {
    const issue = phoneSpelledTwice(String(record.values.mobile_phone), alike.slice(0, 1).flatMap(nameWithPhone));
    return leaveOut(draft, candidate, "failed", row, key, [...record.issues, issue]);
  }
  // A leaver needs nothing but the key.
  if (record.fatal && (own === null || record.active !== false)) {
    return leaveOut(draft, candidate, "failed", row, key, record.issues);
  }
  const readable = record.fatal ? record.issues.map(asWarning) : record.issues;
  const lone = own === null ? whyLone(draft, row) : null;
  if (lone !== null) return leaveOut(draft, candidate, "failed", row, key, withIssues(readable, [lone]));
  const isCut = isStatusCut(draft, row.row);
  const issues = withIssues(readable, statusIssues(draft, record, own, isCut));
  const linkBefore = own === null ? null : link ?? lookedUp.linkOf(own.id) ?? null;
  if (own === null ? !isToBeCreated(draft, record, isCut) : linkBefore === null && isFiltered(record)) {
    const holder = own === null && !isFiltered(record) ? holderOf(draft, record, found, lookedUp) : null;
    if (holder === null) return leaveOut(draft, candidate, "skipped", row, key, issues);
    return leaveOut(draft, candidate, "failed", row, key, withIssues(issues, [addressOfOther(key, holder)]));
  }
  if (own === null) {
    noteNewName(draft, candidate, record);
    noteNewcomer(draft, candidate, record);
  }
  const lacking = own === null ? draft.context.requirements(record.values) : NO_ISSUES;
  if (lacking.length > 0) return leaveOut(draft, candidate, "failed", row, key, withIssues(issues, lacking));
  const before = own === null ? leaverBefore(draft, record, found, batch.lookedUp) : null;
  if (isShort(row.row)) draft.shortRows.use(row.row.line);
  const elsewhere = own === null ? NOWHERE : elsewhereOf(lookedUp.othersOf(own.id), linkBefore, draft.context);
  const at: MatchedRow = { candidate, row, record, key, found, own, link, linkBefore, elsewhere };
  const decision = decide(batch, at);
  if (matched.kind !== "unmatched") noteChange(draft, at, decision, matched);
  const more = before === null ? decision.issues : [...decision.issues, rehiredAsNew(key, before)];
  return place(batch, at, decision, withIssues(issues, more));
}

/** Most rows have none, and a million empty lists would be garbage. */
function withIssues(issues: readonly Issue[], more: readonly Issue[]): readonly Issue[] {
  return more.length === 0 ? issues : [...issues, ...more];
}

function nameWithPhone(user: KnownUser): readonly Piece[] {
  const phone = textOf(user.image[IMAGE_INDEX.mobile_phone]);
  return [describePerson(user), { user: user.id, is: ` ("${phone}")`, otherwise: "" }];
}

function isFiltered(record: Validated): boolean {
  return record.active === false && record.activeReason === "filtered";
}

function asWarning(issue: Issue): Issue {
  return { ...issue, severity: "warning" };
}

/** Decides the change of the person, and notes it for the end of the input. */
function decide({ draft, decideContext }: Batch, at: MatchedRow): Decision {
  const { candidate, record, own, linkBefore, found, elsewhere } = at;
  if (own === null) {
    const decision = decideCreate(record, decideContext);
    noteNew(draft, candidate, record, decision, found);
    return decision;
  }
  const decision = decideUpdate(record, own, linkBefore, elsewhere, decideContext);
  noteKnown(draft, at, decision, own);
  return decision;
}

/** Places the change with its link, and reports the issues. */
function place(batch: Batch, at: MatchedRow, decision: Decision, issues: readonly Issue[]): boolean {
  const { draft, rows, lookedUp } = batch;
  const { candidate, row, record, own, link } = at;
  const rivals = own === null
    ? NO_USERS
    : claimKeptEmail(draft, candidate, own, decision, textOf(record.values.email), lookedUp.byKeptEmail);
  const withheld = withheldWithManager(batch, at, decision);
  // That a status is empty is reported once: the next time it was empty last time as well.
  const isSilent = !isOnlyLeaving(record) && issues.every(({ code }) => code === "status_blank") &&
    record.notes.length === 0 && !isShort(row.row);
  const settled = decision.settled && isSilent && withheld === null && isManagerSettled(draft, candidate);
  placeRow(draft, at, {
    decision,
    // The same person under another key: their link moves, so that a connection has one link a user.
    movedFrom: link === null ? at.linkBefore?.key ?? null : null,
    rivals,
    withheld,
    digest: settled ? rows.digestOf(row, isActiveImage(decision.after)) : null,
    canonical: settled ? rows.canonicalOf(row) : null,
  });
  if (issues.length > 0) report(draft, candidate, row, at.key, issues);
  return settled && !draft.contested.has(candidate);
}

/** The record's withheld values, its manager included. */
function withheldWithManager(
  { draft, decideContext }: Batch,
  { candidate, record, own, link, elsewhere }: MatchedRow,
  { withheld }: Decision,
): Readonly<Record<string, string>> | null {
  const { managers, candidates } = draft;
  if (!noteManager(managers, candidates, candidate, record.values) || own === null) return withheld;
  const manager = withholdManager(managers, candidates, candidate, own, link, record.values, elsewhere, decideContext);
  return manager === null ? withheld : { ...withheld, manager };
}
