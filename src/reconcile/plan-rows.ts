/**
 * Plans rows without a known digest: normalizes and validates the record, finds its user, decides the change. Each row
 * becomes a candidate; its change goes to a page, or is set aside while another user holds a value that it claims.
 *
 * Issues that only the whole input shows (duplicates, managers, values that are given up) are settled afterwards.
 */
import type { Issue, Piece } from "../model/record.ts";
import { addCandidate, type Kind, MARK, mark, setKind } from "./columns/candidates.ts";
import type { RowsToPlan, RowToPlan } from "./columns/recognize.ts";
import { decideCreate, decideUpdate } from "./decide/decide.ts";
import type { DecideContext, Decision } from "./decide/revision.ts";
import type { Draft } from "./draft.ts";
import {
  brokenLine,
  cellCount,
  disputed,
  phoneSpelledTwice,
  shortAndNew,
  totalRow,
  whyBroken,
  zerosLost,
} from "./issues/people.ts";
import { IMAGE_INDEX } from "./image.ts";
import { type LookedUp, lookUp } from "./look-up.ts";
import { noteManager, withholdManager } from "./managers/references.ts";
import { type Found, linkedBy, type Match, match } from "./match.ts";
import {
  claimKeptEmail,
  givesEmployeeIdUp,
  noteKnown,
  noteNew,
  notePhone,
  noteRow,
  noteUnreadKey,
  othersOf,
  recall,
  recallPresent,
} from "./note.ts";
import { describePerson, isActiveImage, type KnownUser, textOf } from "./person.ts";
import { isManagerSettled, type MatchedRow, placeRow } from "./place.ts";
import { isStatusCut, isToBeCreated, statusIssues } from "./plan-status.ts";
import { isTotal } from "./totals.ts";
import { areShifted, isShort } from "./short-rows.ts";
import { leaverIn, noteStatusCells } from "./status-columns.ts";
import type { Validated } from "./validated.ts";

/** State that the rows of one batch share. */
interface Batch {
  readonly draft: Draft;
  readonly rows: RowsToPlan;
  readonly lookedUp: LookedUp;
  readonly decideContext: DecideContext;
  /** Whether these rows were passed over by their digests, or postponed, and are planned now. */
  readonly again: boolean;
}

const NO_ISSUES: readonly Issue[] = [];
const NO_USERS: readonly KnownUser[] = [];

export async function planRows(draft: Draft, rows: RowsToPlan, again: boolean): Promise<void> {
  const { context, candidates } = draft;
  const records = validateAll(draft, rows);
  const lookedUp = await lookUp(draft, records);
  const batch: Batch = { draft, rows, lookedUp, decideContext: decideContextOf(draft), again };
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
    if (!again && [waitsForOther(draft, record, found, lookedUp), short && waits(draft, row, found)].includes(true)) {
      draft.postponed.add(row.n);
      continue;
    }
    const candidate = addCandidate(candidates, row.n, row.row.line);
    const settled = planRow(batch, candidate, row, record, found);
    // Disputed users are not missing. A good row disputes no user, whether planned or passed over.
    if (!settled) { for (const user of othersOf(found)) recallPresent(draft, user.id); }
  }
  if (draft.arrivals.isFull) await draft.arrivals.place(candidates);
  await context.filler.writeFull();
  await context.writeReport();
}

/** The rows' records; null: a row that cannot be read. */
function validateAll({ context }: Draft, { rows }: RowsToPlan): (Validated | null)[] {
  const readable = rows.map(({ row }) => row).filter((row) => whyBroken(row) === null);
  for (const row of readable) noteStatusCells(context.facts, context.statusColumns(row.columns), row);
  const records = context.validate(readable.map(context.normalize));
  let next = 0;
  return rows.map(({ row }) => row === readable[next] ? records[next++]! : null);
}

function decideContextOf({ context }: Draft): DecideContext {
  return {
    connectionId: context.connectionId,
    policy: context.policy,
    today: context.today,
    phones: context.phones,
    customKeys: new Set(context.customFields.map((field) => field.key)),
    outranks: context.outranks,
    department: (name) => context.departments.find(name),
    departmentName: (id) => context.departments.nameOf(id),
  };
}

/**
 * Match, decide, note, place. Returns whether the row can be passed over the next time: it changes and reports nothing.
 */
function planRow(batch: Batch, candidate: number, row: RowToPlan, record: Validated, found: Found): boolean {
  const { draft } = batch;
  const { key } = record;
  noteRow(draft, candidate, row.row, record, found, batch.again);
  draft.columnNotes.add(record.notes, row.row.line);
  if (key === null || record.keyFatal) return leaveOut(draft, candidate, "failed", row, key, record.issues);
  const cut = whyCut(draft, row, record.issues);
  if (cut !== null) return leaveOut(draft, candidate, "failed", row, key, [cut]);
  const leaver = leaverIn(draft.context.facts, draft.context.statusColumns(row.row.columns), row.row);
  if (leaver !== null) {
    draft.columnNotes.add([leaver], row.row.line);
    return leaveOut(draft, candidate, "skipped", row, key, record.issues);
  }
  const matched = matchRow(batch, row, record, found);
  if (matched.kind === "disputed") {
    const people = matched.users.map((user, place) =>
      place === 0 ? describePerson(user) : describePerson(user, "somebody else")
    );
    const issues = [...record.issues, disputed(key, people, matched.why)];
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
  const isCut = isStatusCut(draft, row.row);
  const issues = withIssues(
    record.fatal ? record.issues.map(asWarning) : record.issues,
    statusIssues(draft, record, own, isCut),
  );
  if (own === null ? !isToBeCreated(draft, record, isCut) : link === null && isFiltered(record)) {
    return leaveOut(draft, candidate, "skipped", row, key, issues);
  }
  const lacking = own === null ? whyNotCreated(batch, row, record) : NO_ISSUES;
  if (lacking.length > 0) return leaveOut(draft, candidate, "failed", row, key, withIssues(issues, lacking));
  if (isShort(row.row)) draft.shortRows.use(row.row.line);
  const at: MatchedRow = { candidate, row, record, key, found, own, link };
  const decision = decide(batch, at);
  return place(batch, at, decision, withIssues(issues, decision.issues));
}

/** Most rows have none, and a million empty lists would be garbage. */
function withIssues(issues: readonly Issue[], more: readonly Issue[]): readonly Issue[] {
  return more.length === 0 ? issues : [...issues, ...more];
}

/** The row is not about a user who gives up the employee_id in this input. */
function matchRow({ draft, again }: Batch, { n }: RowToPlan, { values }: Validated, found: Found): Match {
  const { byEmployeeId } = found;
  const givesUp = again && byEmployeeId !== null && draft.postponed.has(n) && givesEmployeeIdUp(draft, byEmployeeId.id);
  return match(values, draft.context.key, givesUp ? { ...found, byEmployeeId: null } : found);
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

function addShort({ shortRows }: Draft, { n, row }: RowToPlan, isNobody: boolean): boolean {
  return shortRows.add({ n, line: row.line, cells: row.cells.length, columns: row.columns.length, isNobody });
}

/** Whether a short row waits for the end of the input, which shows what it is. */
function waits(draft: Draft, row: RowToPlan, { link, byEmployeeId, byEmail, byPhone }: Found): boolean {
  return addShort(draft, row, link === null && byEmployeeId === null && byEmail.length + byPhone.length === 0);
}

/** Why a short row is more than one without its last cells: its values, or the row beside it, show it. */
function whyCut({ shortRows }: Draft, row: RowToPlan, issues: readonly Issue[]): Issue | null {
  if (!isShort(row.row)) return null;
  if (shortRows.isBroken(row.n)) return brokenLine(row.row);
  return areShifted(issues) ? cellCount(row.row) : null;
}

/** Errors that prevent creating a new person: too few cells, an id that lost its zeros, missing required fields. */
function whyNotCreated({ draft, lookedUp }: Batch, row: RowToPlan, { values }: Validated): readonly Issue[] {
  if (isShort(row.row) && !draft.shortRows.isUsual(row.row.cells.length)) return [shortAndNew(row.row)];
  const employeeId = textOf(values.employee_id);
  const known = employeeId === null ? undefined : lookedUp.zeros.get(employeeId);
  return known === undefined ? draft.context.requirements(values) : [zerosLost(employeeId!, known)];
}

/** Decides the change of the person, and notes it for the end of the input. */
function decide({ draft, lookedUp, decideContext }: Batch, at: MatchedRow): Decision {
  const { candidate, record, own, link, found } = at;
  if (own === null || (link === null && found.byPhone.length === 0)) notePhone(draft, candidate, record);
  if (own === null) {
    const decision = decideCreate(record, decideContext);
    noteNew(draft, candidate, record, decision, found);
    return decision;
  }
  const decision = decideUpdate(record, own, link, lookedUp.activeElsewhere.has(own.id), decideContext);
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
  const isSilent = issues.every(({ code }) => code === "status_blank") && record.notes.length === 0 &&
    !isShort(row.row);
  const settled = decision.settled && isSilent && withheld === null && isManagerSettled(draft, candidate);
  placeRow(draft, at, {
    decision,
    // The same person under another key: their link moves, so that a connection has one link a user.
    movedFrom: own !== null && link === null ? lookedUp.linkOf(own.id)?.key ?? null : null,
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
  { candidate, record, own, link }: MatchedRow,
  { withheld }: Decision,
): Readonly<Record<string, string>> | null {
  const { managers, candidates } = draft;
  if (!noteManager(managers, candidates, candidate, record.values) || own === null) return withheld;
  const manager = withholdManager(managers, candidates, candidate, own, link, record.values, decideContext);
  return manager === null ? withheld : { ...withheld, manager };
}

/**
 * A row that is about nobody by its link, with the employee_id of a user who is linked by another key: that user's own row
 * may come later and give the id up, so this row is planned when all rows have been read.
 */
function waitsForOther(draft: Draft, record: Validated, found: Found, lookedUp: LookedUp): boolean {
  const { byEmployeeId } = found;
  if (byEmployeeId === null || record.key === null || linkedBy(record.values, found) !== null) return false;
  const other = lookedUp.linkOf(byEmployeeId.id);
  if (other === undefined || other.key === record.key) return false;
  recall(draft, byEmployeeId.id);
  return true;
}

/** The row changes nothing. Reports the reason if there is one. */
function leaveOut(
  draft: Draft,
  candidate: number,
  kind: Kind,
  row: RowToPlan,
  key: string | null,
  issues: readonly Issue[],
): false {
  setKind(draft.candidates, candidate, kind);
  const reasons = kind === "failed" && isTotal(row.row.cells) ? [totalRow(row.row)] : issues;
  if (reasons.length > 0) report(draft, candidate, row, key, reasons);
  return false;
}

function report(
  draft: Draft,
  candidate: number,
  { n, row }: RowToPlan,
  key: string | null,
  issues: readonly Issue[],
): void {
  if (issues.some((issue) => issue.severity === "warning")) mark(draft.candidates, candidate, MARK.warned);
  draft.context.report({ n, line: row.line, key, origin: row.origin, cells: row.cells, issues });
}
