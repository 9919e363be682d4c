/**
 * Plans an input of users: rows in, pages of changes, a report and figures out. Writes no user.
 *
 * The input is read once, without rows that are known to say nothing new; once more for rows that were passed over and
 * turn out to matter; and once more for the words of issues that only the whole input shows. Mostly the first time is all.
 */
import type { RowBlock } from "../model/record.ts";
import { departmentNeeded, hasLate, isMarked, kindOf, MARK, mark, rowOf } from "./columns/candidates.ts";
import { createRecognition, type Recognition, type RowInput } from "./columns/recognize.ts";
import { wasPassedOver } from "./columns/known.ts";
import { createDraft, type Draft, type UserPlanContext, wholeInput } from "./draft.ts";
import { lateIssues } from "./late.ts";
import { dropCycles } from "./managers/cycles.ts";
import { MANAGER_FIELDS } from "./managers/references.ts";
import { noteLostZeros, resolveManagers } from "./managers/resolve.ts";
import { findLateManagers, recallReports } from "./managers/waiting.ts";
import { writeManagers } from "./managers/write.ts";
import { NOBODY_MISSING, planMissing, whyNobodyMissing } from "./missing.ts";
import { planRows } from "./plan-rows.ts";
import { rejectRivals } from "./rivals.ts";
import { settleClaims } from "./settle-claims.ts";
import { absentStatuses } from "./statuses.ts";
import { summarize, type UserPlan } from "./summarize.ts";

export interface UserInput extends RowInput {
  /** Another part reports which chosen statuses the source does not have: that nobody has one is no sign of it. */
  readonly statusesTold?: boolean;
  /** Everybody the source knows is in the input, once it has been read to its end. */
  isComplete(): boolean;
  /** It is known to be only a part, and reported elsewhere why. */
  readonly isCutShort: boolean;
}

export async function planUsers(context: UserPlanContext, input: UserInput): Promise<UserPlan> {
  const draft = createDraft(context);
  const recognition = createRecognition(draft, input);
  await planUnknownRows(draft, recognition);
  await recallRows(draft, recognition);
  await planRecalledRows(draft, recognition);
  rejectRivals(draft);
  await context.nextPass();
  const complete = input.isComplete() && draft.keyUnread === null;
  const missing = complete ? await planMissing(draft) : NOBODY_MISSING;
  await sweep(draft, input);
  await settleClaims(draft);
  await settleManagers(draft, input);
  const departments = await writeDepartments(draft);
  await reportLate(draft, input);
  await reportWhole(draft, input);
  return summarize(draft, recognition.countFilled(), { ...missing, complete, departments });
}

/** Between stages: what the last one needed is garbage by now, and the next one needs memory of its own. */
async function sweep(draft: Draft, input: UserInput): Promise<void> {
  await input.progress("settle", draft.rows);
}

async function planUnknownRows(draft: Draft, recognition: Recognition): Promise<void> {
  for await (const rows of recognition.unknownRows()) await planRows(draft, rows, false);
  await draft.arrivals.place(draft.candidates);
}

/** Recalls rows that were passed over, though another row or a change of somebody else makes them matter. */
async function recallRows(draft: Draft, recognition: Recognition): Promise<void> {
  const { known } = draft.context;
  // Nobody's manager can change by an input that names none.
  if (MANAGER_FIELDS.some((field) => recognition.isMapped(field))) await recallReports(draft);
  for (const ordinal of draft.touched) if (wasPassedOver(known, ordinal)) draft.recalled.add(ordinal);
}

async function planRecalledRows(draft: Draft, recognition: Recognition): Promise<void> {
  await draft.context.nextPass();
  if (draft.recalled.size === 0 && draft.postponed.size === 0) return;
  for await (const rows of recognition.recalledRows()) await planRows(draft, rows, true);
  await draft.arrivals.place(draft.candidates);
}

/** Settles who becomes whose manager, after everybody else's changes. */
async function settleManagers(draft: Draft, input: UserInput): Promise<void> {
  const { context, outranked } = draft;
  const managers = await resolveManagers(draft);
  await noteLostZeros(draft);
  const appeared = await findLateManagers(draft, managers);
  // Nobody asks any more who claims what.
  for (const claims of [draft.keys, draft.emails, draft.employeeIds, draft.users]) claims.clear();
  await sweep(draft, input);
  const late = await dropCycles(draft, managers, appeared);
  await sweep(draft, input);
  await writeManagers(draft, managers, late);
  // Of a change of theirs the tables tell by themselves; of somebody new who takes their email they cannot.
  for (const userId of outranked) context.filler.add("recalls", userId);
}

/** Writes the new departments that some change still needs. Gives how many there are. */
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

/** Reads the rows once more that have issues only the whole input shows, for their cells and the words. */
async function reportLate(draft: Draft, input: UserInput): Promise<void> {
  const { candidates, context } = draft;
  const late = lateInOrder(draft);
  if (late.length === 0) return;
  await context.nextPass();
  let n = 0, next = 0;
  for await (const block of input.rows()) {
    const first = next;
    while (next < late.length && rowOf(candidates, late[next]!) < n + block.count) next++;
    // Rows are normalized by the columns that hold now.
    input.fieldsOf(block.columns);
    reportLateRows(draft, block, late.slice(first, next), n);
    n += block.count;
    await context.writeReport();
    if (next === late.length) break;
  }
}

/** Candidates that have such an issue, in the order of their rows. */
function lateInOrder({ candidates }: Draft): number[] {
  const late: number[] = [];
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (hasLate(candidates, candidate) && !isMarked(candidates, candidate, MARK.absent)) late.push(candidate);
  }
  return late.sort((a, b) => rowOf(candidates, a) - rowOf(candidates, b));
}

/** `from`: place in the input of the block's first row. */
function reportLateRows(draft: Draft, block: RowBlock, late: readonly number[], from: number): void {
  const { candidates, context } = draft;
  const rows = block.rows(late.map((candidate) => rowOf(candidates, candidate) - from));
  for (const [i, row] of rows.entries()) {
    const candidate = late[i]!;
    const record = context.validate(context.normalize(row));
    const issues = lateIssues(draft, candidate, record);
    if (issues.some((issue) => issue.severity === "warning")) mark(candidates, candidate, MARK.warned);
    const { line, origin, cells } = row;
    context.report({ n: rowOf(candidates, candidate), line, key: record.key, origin, cells, issues });
  }
}

/** Reports what no row is to blame for. */
async function reportWhole(draft: Draft, input: UserInput): Promise<void> {
  const { context } = draft;
  const complete = input.isComplete();
  const issues = [
    ...(complete && input.statusesTold !== true ? await absentStatuses(draft) : []),
    ...(input.isCutShort ? [] : whyNobodyMissing(draft, complete)),
  ];
  if (issues.length === 0) return;
  await context.nextPass();
  context.report(wholeInput(issues));
}
