/**
 * Plans an input of users: rows in, pages of changes, a report and figures out. Writes no user.
 *
 * The input is read once, passing over rows that are known to change nothing; again for rows that were passed over and
 * turn out to matter; and again for the messages of issues that only the whole input shows. Mostly the first reading is
 * enough.
 */
import type { ReadyBlock } from "../model/record.ts";
import { departmentNeeded, hasLate, isMarked, kindOf, MARK, mark, rowOf } from "./columns/candidates.ts";
import { createRecognition, type Recognition, type RowInput } from "./columns/recognize.ts";
import { wasPassedOver } from "./columns/known.ts";
import { createDraft, type Draft, type UserPlanContext, wholeInput } from "./draft.ts";
import { cellsMissing, columnNoted, filterColumnMissing } from "./issues/input.ts";
import { whyBroken } from "./issues/people.ts";
import { refuseExchanges } from "./exchanges.ts";
import { lateIssues } from "./late.ts";
import { dropCycles } from "./managers/cycles.ts";
import { MANAGER_FIELDS } from "./managers/references.ts";
import { noteLostZeros, resolveManagers } from "./managers/resolve.ts";
import { findLateManagers, recallReports } from "./managers/waiting.ts";
import { writeManagers } from "./managers/write.ts";
import { keptColumns } from "./kept-columns.ts";
import { countAbsent, endAbsences, markDisputed, NOBODY_MISSING, planMissing, whyNobodyMissing } from "./missing.ts";
import { findByName } from "./own-keys.ts";
import { planRows } from "./plan-rows.ts";
import { rejectRivals } from "./rivals.ts";
import { settleClaims } from "./settle-claims.ts";
import { absentStatuses } from "./statuses.ts";
import { summarize, type UserPlan } from "./summarize.ts";

export interface UserInput extends RowInput {
  /** Whether the source's list of statuses is known, so that chosen ones that do not exist are reported elsewhere. */
  readonly statusesReported?: boolean;
  /** Whether the input, read to its end, holds everybody the source knows. */
  isComplete(): boolean;
  /** Whether the input is known to be only a part, with the reason reported elsewhere. */
  readonly isCutShort: boolean;
}

/** Rows that are read together for their dates. */
const DATES_AT_ONCE = 250;
/** Rows that share their keys and are compared with each other; of more, each is rejected. */
const MOST_TWINS = 100_000;

/** Null: a later row shows that earlier ones mean something else, so the input has to be planned again. */
export async function planUsers(context: UserPlanContext, input: UserInput): Promise<UserPlan | null> {
  const draft = createDraft(context);
  const recognition = createRecognition(draft, input);
  if (!await planUnknownRows(draft, recognition)) return null;
  draft.isWhole = context.policy.coverage === "full" && context.part?.isLast !== false && input.isComplete();
  await recallRows(draft, recognition);
  await planRecalledRows(draft, recognition);
  if (!await doFactsHold(draft, input) || findTwins(draft)) return null;
  rejectRivals(draft);
  await context.nextPass();
  await refuseExchanges(draft);
  await settleClaims(draft);
  markDisputed(draft);
  await endAbsences(draft);
  const complete = input.isComplete() && draft.keyUnread === null;
  const missing = complete ? await planMissing(draft) : NOBODY_MISSING;
  if (findByName(draft)) return null;
  await sweep(draft, input);
  await settleManagers(draft, input);
  const departments = await writeDepartments(draft);
  await reportLate(draft, input);
  await reportWhole(draft, input);
  const filled = recognition.countFilled();
  // Of a part, nobody knows yet who is in another.
  const kept = await keptColumns(draft, filled, recognition.isMapped, complete && context.part === null);
  const absent = complete ? missing.missing : input.isCutShort ? 0 : await countAbsent(draft);
  return summarize(draft, filled, { ...missing, complete, departments, kept, absent });
}

/** Lets memory be freed between two stages: the last one's is garbage by now, and the next one needs its own. */
async function sweep(draft: Draft, input: UserInput): Promise<void> {
  await input.progress("settle", draft.rows);
}

/** Returns false as soon as the plan does not hold. */
async function planUnknownRows(draft: Draft, recognition: Recognition): Promise<boolean> {
  for await (const rows of recognition.unknownRows()) {
    await planRows(draft, rows, false);
    if (!draft.context.facts.hold(false)) return false;
  }
  await draft.arrivals.place(draft.candidates);
  return true;
}

/** Notes rows that share their keys for the next plan. Returns whether there are any that this one did not know of. */
function findTwins({ keys, candidates, context }: Draft): boolean {
  const { twins } = context;
  const shared = [...keys.shared()].flat().map((candidate) => rowOf(candidates, candidate));
  if (twins.size > 0 || shared.length === 0 || shared.length > MOST_TWINS) return false;
  for (const n of shared) twins.add(n);
  return true;
}

/** Whether all rows mean what they were planned by; if not, what has been learned is kept for the next plan. */
async function doFactsHold({ context }: Draft, input: UserInput): Promise<boolean> {
  const { facts } = context;
  // Rows that were passed over may have the dates that show the declared order to be right.
  if (facts.suspects().length > 0) await readDates(context, input);
  return facts.hold(true);
}

/** Reads rows until no column of dates is suspect any more. */
async function readDates({ facts, normalize, validate }: UserPlanContext, input: UserInput): Promise<void> {
  for await (const block of input.rows()) {
    input.fieldsOf(block.columns);
    for (let from = 0; from < block.count; from += DATES_AT_ONCE) {
      const indexes = Array.from({ length: Math.min(DATES_AT_ONCE, block.count - from) }, (_, i) => from + i);
      const rows = await block.rows(indexes);
      validate(rows.filter((row) => whyBroken(row) === null).map(normalize));
      if (facts.suspects().length === 0) return;
    }
  }
}

/** Recalls rows that were passed over, but that matter because of another row or another user's change. */
async function recallRows(draft: Draft, recognition: Recognition): Promise<void> {
  const { known } = draft.context;
  // An input that names no managers cannot change any.
  if (MANAGER_FIELDS.some((field) => recognition.isMapped(field))) await recallReports(draft);
  for (const ordinal of draft.touched) if (wasPassedOver(known, ordinal)) draft.recalled.add(ordinal);
}

async function planRecalledRows(draft: Draft, recognition: Recognition): Promise<void> {
  await draft.context.nextPass();
  if (draft.recalled.size === 0 && draft.postponed.size === 0) return;
  for await (const rows of recognition.recalledRows()) await planRows(draft, rows, true);
  await draft.arrivals.place(draft.candidates);
}

/** Settles managers, after all other changes. */
async function settleManagers(draft: Draft, input: UserInput): Promise<void> {
  const { context, outranked } = draft;
  const managers = await resolveManagers(draft);
  await noteLostZeros(draft);
  const appeared = await findLateManagers(draft, managers);
  // The claims are not needed any more.
  const { keys, emails, employeeIds, leavers, users } = draft;
  for (const claims of [keys, emails, employeeIds, leavers.emails, leavers.employeeIds, users]) claims.clear();
  await sweep(draft, input);
  const late = await dropCycles(draft, managers, appeared);
  await sweep(draft, input);
  await writeManagers(draft, managers, late);
  // The database notices changes of these users by itself, but not that a new person takes their email.
  for (const userId of outranked) context.filler.add("recalls", userId);
}

/** Writes the new departments that some change still needs. Returns how many there are. */
async function writeDepartments({ candidates, context }: Draft): Promise<number> {
  const needed = new Set<number>();
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const place = departmentNeeded(candidates, candidate);
    if (place === null) continue;
    const kind = kindOf(candidates, candidate);
    if (kind !== "unchanged" && kind !== "skipped" && kind !== "failed") needed.add(place);
  }
  const changes = context.departments.changes(needed);
  await context.filler.flush();
  if (changes.length > 0) await context.writeDepartments(changes);
  return changes.length;
}

/** Reads rows again that have issues which only the whole input shows: the messages need their cells. */
async function reportLate(draft: Draft, input: UserInput): Promise<void> {
  const { candidates, context } = draft;
  const late = lateInOrder(draft);
  if (late.length === 0) return;
  await context.nextPass();
  let n = 0, next = 0;
  for await (const block of input.rows()) {
    const first = next;
    while (next < late.length && rowOf(candidates, late[next]!) < n + block.count) next++;
    // Rows are normalized by the fields of their own block.
    input.fieldsOf(block.columns);
    await reportLateRows(draft, block, late.slice(first, next), n);
    n += block.count;
    await context.writeReport();
    if (next === late.length) break;
  }
}

/** Candidates with such an issue, in the order of their rows. */
function lateInOrder({ candidates }: Draft): number[] {
  const late: number[] = [];
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (hasLate(candidates, candidate) && !isMarked(candidates, candidate, MARK.absent)) late.push(candidate);
  }
  return late.sort((a, b) => rowOf(candidates, a) - rowOf(candidates, b));
}

/** `from`: position of the block's first row in the input. */
async function reportLateRows(draft: Draft, block: ReadyBlock, late: readonly number[], from: number): Promise<void> {
  const { candidates, context } = draft;
  const rows = await block.rows(late.map((candidate) => rowOf(candidates, candidate) - from));
  for (const [i, row] of rows.entries()) {
    const candidate = late[i]!;
    const record = context.validate([context.normalize(row)])[0]!;
    const issues = lateIssues(draft, candidate, record);
    if (issues.some((issue) => issue.severity === "warning")) mark(candidates, candidate, MARK.warned);
    const { line, origin, cells } = row;
    context.report({ n: rowOf(candidates, candidate), line, key: record.key, origin, cells, issues });
  }
}

/** Reports issues of the whole input. */
async function reportWhole(draft: Draft, input: UserInput): Promise<void> {
  const { context } = draft;
  const complete = input.isComplete();
  const issues = [
    ...draft.columnNotes.all().map(columnNoted),
    ...(draft.rows === 0 ? [] : context.rowFilter.absent().map(filterColumnMissing)),
    ...(draft.shortRows.used().count > 0 ? [cellsMissing(draft.shortRows.used())] : []),
    ...(complete && input.statusesReported !== true && context.part === null ? await absentStatuses(draft) : []),
    ...(input.isCutShort ? [] : whyNobodyMissing(draft, complete)),
  ];
  if (issues.length === 0) return;
  await context.nextPass();
  context.report(wholeInput(issues));
}
