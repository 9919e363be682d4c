/**
 * Plans an input of users: rows in, pages of changes, a report and figures out. Writes no user.
 *
 * The input is read once with the shortcut for unchanged rows, once more for rows that the shortcut passed over and
 * that turn out to matter, and once more for the words of issues that only the whole input could tell. Mostly the
 * first time is all.
 */
import { digestCells } from "../intake/digest.ts";
import { type Cell, type Fields, type Row, type RowBlock, type Salt, USER_FIELDS } from "../model/record.ts";
import {
  ABSENT,
  ACTIVE,
  ADVANCES_DEACTIVATION,
  CREATED,
  DEACTIVATED,
  FAILED,
  IDENTITY,
  OUTCOMES,
  REACTIVATED,
  SKIPPED,
  UNCHANGED,
  UPDATED,
  WARNED,
} from "./columns/candidates.ts";
import { consider, type Looked } from "./consider.ts";
import { createDraft, type Draft, type UserPlanContext } from "./draft.ts";
import type { Filled } from "./guard.ts";
import {
  ACTIVE_BIT,
  type DigestIndex,
  findAllKnown,
  findKnown,
  forgetDigests,
  formatDigest,
  HIT,
  UNSEEN,
} from "./columns/known.ts";
import { lateIssues } from "./late.ts";
import { missingUnclear, NOBODY, planMissing } from "./missing.ts";
import { rejectRivals, settleClaims, usedDepartments } from "./settle.ts";
import { recallReports, settleManagers } from "./settle-managers.ts";
import { absentStatuses } from "./statuses.ts";

export interface UserInput {
  /** The rows, from the start; each time the same. */
  rows(): AsyncIterable<RowBlock>;
  /** What the columns stand for. Throws a Fault for a header that cannot be used. */
  fieldsOf(columns: readonly string[]): Fields;
  /** Salt of digests of a row's bytes: another when the columns, or anything else that gives a row its meaning, change. */
  rawSalt(columns: readonly string[]): Salt;
  readonly canonicalSalt: Salt;
  /** Digests of cells by field, with the same ordinals as `known`; loaded when few rows are known by their bytes. */
  loadCanonical(): Promise<DigestIndex>;
  /** Whether bytes in this layout came last time too, so that their digests are worth keeping. */
  readonly layoutReturns: boolean;
  /** Somebody else says which chosen statuses the source does not have: that nobody has one is no sign of it. */
  readonly statusesTold?: boolean;
  /** Everybody the source knows is in the input, once it has been read to its end. */
  isComplete(): boolean;
  /** It is known to be only a part, and said elsewhere why. */
  readonly isCutShort: boolean;
  /** Says how far it is, and lets memory be given back; called about once a block. */
  progress(phase: "read" | "look again" | "settle", rows: number): Promise<void>;
}

export interface UserPlan {
  readonly counts: {
    readonly read: number;
    readonly created: number;
    readonly updated: number;
    readonly unchanged: number;
    readonly deactivated: number;
    readonly reactivated: number;
    readonly skipped: number;
    readonly failed: number;
    readonly warned: number;
    readonly missing: number;
    readonly departments_created: number;
  };
  readonly deactivate: number;
  readonly identity: number;
  /** Of the missing, those who were there until now. */
  readonly newlyMissing: number;
  readonly filled: Filled;
  /** Complete, full, and every key could be read: those not seen are missing. */
  readonly complete: boolean;
  /** At least as many active users are linked to the connection. */
  readonly activeAtLeast: number;
  /** Users that this run makes, who count for the base. */
  readonly newActive: number;
  /** A letter a row, for small inputs. */
  readonly outcomes: string | null;
}

/** Rows looked at together: as many as are worth a question to the database, few where there is nobody to ask about. */
const BATCH = 2_000, BATCH_OF_STRANGERS = 250;
/** Rows parsed together: what lives this shortly costs no collection. */
const PARSED_AT_ONCE = 250;
/** Digests of cells are loaded when more than one row in so many is not known by its bytes. */
const WORTH_CANONICAL = 8;
/** A file that is written otherwise from now on gets new digests bit by bit, so that no night pays for all of them. */
const MAX_REFRESHED = 100_000;
const MAX_OUTCOMES = 5_000;

export async function planUsers(context: UserPlanContext, input: UserInput): Promise<UserPlan> {
  const draft = createDraft(context);
  const reading = createReading(draft, input);
  await reading.read(false);
  // Nobody's manager can change by an input that names none.
  if (["manager_id", "manager_email", "manager_key"].some((field) => reading.mapped.has(field))) {
    await recallReports(draft);
  }
  for (const ordinal of draft.touched) if (context.known.seen[ordinal] === HIT) draft.recalled.add(ordinal);
  await context.nextPass();
  if (draft.recalled.size > 0 || draft.postponed.size > 0) await reading.read(true);
  rejectRivals(draft);
  await context.nextPass();
  const complete = input.isComplete() && draft.keyUnread === null;
  const { missing, newly } = complete ? await planMissing(draft) : NOBODY;
  const breathe = () => input.progress("settle", draft.rows);
  await breathe();
  await settleClaims(draft);
  await settleManagers(draft, breathe);
  const departments = context.departments.changes(usedDepartments(draft));
  await context.filler.flush();
  if (departments.length > 0) await context.writeDepartments(departments);
  await reportLate(draft, input);
  const whole = [
    ...(input.isComplete() && input.statusesTold !== true ? await absentStatuses(draft) : []),
    ...(input.isCutShort ? [] : missingUnclear(draft, input.isComplete())),
  ];
  if (whole.length > 0) {
    await context.nextPass();
    context.report({ n: -1, line: null, key: null, origin: null, cells: [], issues: whole });
  }
  return summarize(draft, reading, complete, missing, newly, departments.length);
}

interface Reading {
  /** `again`: only rows that were passed over and are recalled. */
  read(again: boolean): Promise<void>;
  /** Non-empty cells by field's bit, of rows that were looked at. */
  readonly filled: Float64Array;
  readonly bits: ReadonlyMap<string, number>;
  /** Fields that some column stands for. */
  readonly mapped: ReadonlySet<string>;
}

function createReading(draft: Draft, input: UserInput): Reading {
  const { context } = draft;
  const { known } = context;
  const bits = fieldBits(context.customFields.map((field) => field.key));
  const filled = new Float64Array(32);
  const mapped = new Set<string>();
  /** Undefined until the first rows have shown whether it is worth loading. */
  let canonical: DigestIndex | null | undefined = context.shortcut && known.size > 0 ? undefined : null;

  /** Notes that a row was passed over. The second row of one link is recalled with the first: each will name the other. */
  function pass(ordinal: number): void {
    if (known.seen[ordinal] === UNSEEN) known.seen[ordinal] = HIT;
    else draft.recalled.add(ordinal);
  }

  async function read(again: boolean): Promise<void> {
    const size = context.lookups.hasUsers ? BATCH : BATCH_OF_STRANGERS;
    const batch = createBatch(draft, size, again);
    let n = 0, refreshed = 0;
    let digests = new Int32Array(0), ordinals = new Int32Array(0), misses = new Int32Array(0);
    const canonicals = new Int32Array(4);
    let last: Fields | null = null;
    for await (const block of input.rows()) {
      const fields = input.fieldsOf(block.columns);
      // Rows are normalized by the columns that hold now.
      if (fields !== last) await batch.flush();
      last = fields;
      for (const field of fields) if (field !== null) mapped.add(field);
      const order = canonicalOrder(fields);
      const salt = input.rawSalt(block.columns);
      if (misses.length < block.count) {
        digests = new Int32Array(block.count * 4);
        ordinals = new Int32Array(block.count);
        misses = new Int32Array(block.count);
      }
      let missed = 0;
      for (let i = 0; i < block.count; i++) block.digest(i, salt, digests, i * 4);
      if (context.shortcut) findAllKnown(known, digests, block.count, ordinals);
      else ordinals.fill(-1);
      for (let i = 0; i < block.count; i++) {
        const ordinal = ordinals[i]!;
        if (ordinal >= 0 && !again) pass(ordinal);
        else if (ordinal < 0 || draft.recalled.has(ordinal)) misses[missed++] = i;
      }
      if (canonical === undefined) {
        // A file written otherwise: from here on its rows are known by their cells alone.
        if (missed * 2 > block.count) forgetDigests(known);
        canonical = missed * WORTH_CANONICAL > block.count ? await input.loadCanonical() : null;
      }
      for (let from = 0; from < missed; from += PARSED_AT_ONCE) {
        const indexes = misses.subarray(from, Math.min(missed, from + PARSED_AT_ONCE));
        for (const [i, row] of block.rows(indexes).entries()) {
          const at = indexes[i]! * 4;
          digestCells(row.cells, input.canonicalSalt, canonicals, 0, order);
          const mask = maskOf(row.cells, fields, bits);
          const ordinal = canonical === null || row.cells.length !== row.columns.length
            ? -1
            : findKnown(canonical, canonicals, 0);
          if (!again && ordinal >= 0) {
            pass(ordinal);
            known.masks[ordinal] = mask | (known.masks[ordinal]! & ACTIVE_BIT);
            if (input.layoutReturns && refreshed++ < MAX_REFRESHED) {
              context.filler.add("digests", [
                known.users[ordinal],
                formatDigest(digests, at, known.masks[ordinal]!),
              ]);
            }
            continue;
          }
          // The second time only those that were passed over count; the others have been looked at.
          const place = n + indexes[i]!;
          const postponed = draft.postponed.has(place);
          const recalled = (ordinal >= 0 && draft.recalled.has(ordinal)) ||
            (context.shortcut && findKnown(known, digests, at) >= 0);
          if (again && !recalled && !postponed) continue;
          if (!again || !postponed) {
            countFilled(filled, mask);
          }
          // Where most rows of a block are passed over, the few that wait must not keep the text of all alive.
          const own = canonical === null ? row : { ...row, cells: ownCells(row.cells) };
          if (batch.add(place, own, mask, digests, at, canonicals)) await batch.flush();
        }
      }
      n += block.count;
      if (context.filler.isFull) await context.filler.writeFull();
      await input.progress(again ? "look again" : "read", n);
    }
    await batch.flush();
    await draft.arrivals.place(draft.candidates);
    draft.rows = n;
  }

  return { read, filled, bits, mapped };
}

/** The cells without the text that they were cut from. One that is absent stays so: it is not empty. */
function ownCells(cells: readonly Cell[]): Cell[] {
  const copies = JSON.parse(JSON.stringify(cells)) as Cell[];
  return copies.map((copy, i) => cells[i] === undefined ? undefined : copy);
}

/** Gathers rows from several blocks, as a few changed rows in each would ask the database a few at a time. */
function createBatch(draft: Draft, size: number, again: boolean) {
  const digests = new Int32Array(size * 4), canonicals = new Int32Array(size * 4);
  let looked: Looked[] = [];
  return {
    /** Takes a row with its two digests, which it copies. True: it is full. */
    add(n: number, row: Row, filled: number, digest: Int32Array, from: number, canonical: Int32Array): boolean {
      const at = looked.length * 4;
      for (let word = 0; word < 4; word++) {
        digests[at + word] = digest[from + word]!;
        canonicals[at + word] = canonical[word]!;
      }
      return looked.push({ n, row, at, filled }) === size;
    },
    async flush(): Promise<void> {
      if (looked.length === 0) return;
      const rows = looked;
      looked = [];
      await consider(draft, rows, { digests, canonicals }, again);
    },
  };
}

/** Reads the rows once more that have issues only the whole input could tell, for their cells and the words. */
async function reportLate(draft: Draft, input: UserInput): Promise<void> {
  const { candidates, context } = draft;
  const late: number[] = [];
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    if (candidates.late[candidate] !== 0 && (candidates.flags[candidate]! & ABSENT) === 0) late.push(candidate);
  }
  if (late.length === 0) return;
  late.sort((a, b) => candidates.n[a]! - candidates.n[b]!);
  await context.nextPass();
  let n = 0, next = 0;
  for await (const block of input.rows()) {
    const first = next;
    while (next < late.length && candidates.n[late[next]!]! < n + block.count) next++;
    input.fieldsOf(block.columns);
    const rows = block.rows(late.slice(first, next).map((candidate) => candidates.n[candidate]! - n));
    for (const [i, row] of rows.entries()) {
      const candidate = late[first + i]!;
      const record = context.validate(context.normalize(row));
      const issues = lateIssues(draft, candidate, record);
      if (issues.some((issue) => issue.severity === "warning")) candidates.flags[candidate]! |= WARNED;
      context.report({
        n: candidates.n[candidate]!,
        line: row.line,
        key: record.key,
        origin: row.origin,
        cells: row.cells,
        issues,
      });
    }
    n += block.count;
    await context.writeReport();
    if (next === late.length) break;
  }
}

function summarize(
  draft: Draft,
  reading: Reading,
  complete: boolean,
  missing: number,
  newlyMissing: number,
  departmentsCreated: number,
): UserPlan {
  const { candidates, context } = draft;
  const { known } = context;
  const kinds = new Float64Array(7);
  let warned = 0, identity = 0, deactivate = 0, newActive = 0, activeAtLeast = 0, rows = 0;
  const outcomes = draft.rows <= MAX_OUTCOMES ? new Array<string>(draft.rows).fill(OUTCOMES[UNCHANGED]!) : null;
  for (let candidate = 0; candidate < candidates.size; candidate++) {
    const kind = candidates.kind[candidate]!, flags = candidates.flags[candidate]!;
    if (kind === DEACTIVATED || (flags & ADVANCES_DEACTIVATION && kind === UPDATED)) deactivate++;
    if (flags & ABSENT) continue;
    rows++;
    kinds[kind]! += 1;
    if (kind !== FAILED && flags & WARNED) warned++;
    if (kind !== FAILED && flags & IDENTITY) identity++;
    if (kind === CREATED) newActive++;
    if (kind === REACTIVATED || ((kind === UPDATED || kind === UNCHANGED) && flags & ACTIVE)) activeAtLeast++;
    if (outcomes !== null) outcomes[candidates.n[candidate]!] = OUTCOMES[kind]!;
  }
  const filled = reading.filled.slice();
  for (let ordinal = 0; ordinal < known.size; ordinal++) {
    if (known.seen[ordinal] !== HIT) continue;
    const mask = known.masks[ordinal]!;
    if (mask & ACTIVE_BIT) activeAtLeast++;
    countFilled(filled, mask & ~ACTIVE_BIT);
  }
  return {
    counts: {
      read: draft.rows,
      created: kinds[CREATED]!,
      updated: kinds[UPDATED]!,
      unchanged: kinds[UNCHANGED]! + draft.rows - rows,
      deactivated: kinds[DEACTIVATED]!,
      reactivated: kinds[REACTIVATED]!,
      skipped: kinds[SKIPPED]!,
      failed: kinds[FAILED]!,
      warned,
      missing,
      departments_created: departmentsCreated,
    },
    deactivate,
    identity,
    newlyMissing,
    filled: {
      rows: draft.rows,
      filled: Object.fromEntries(
        [...reading.bits].filter(([field]) => reading.mapped.has(field)).map(([field, bit]) => [field, filled[bit]!]),
      ),
    },
    complete,
    activeAtLeast,
    newActive,
    outcomes: outcomes?.join("") ?? null,
  };
}

/** A bit for each field whose filling is watched: the built-in ones and the first custom ones, the same in any column order. */
function fieldBits(customKeys: readonly string[]): Map<string, number> {
  const fields = [...USER_FIELDS, ...[...customKeys].sort()].slice(0, 31);
  return new Map(fields.map((field, bit) => [field, bit]));
}

function maskOf(cells: readonly Cell[], fields: Fields, bits: ReadonlyMap<string, number>): number {
  let mask = 0;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    const cell = cells[i];
    if (field === null || cell === undefined || cell === null || cell === "") continue;
    const bit = bits.get(field);
    if (bit !== undefined) mask |= 1 << bit;
  }
  return mask;
}

/** Adds one for each bit of the mask. */
function countFilled(filled: Float64Array, mask: number): void {
  for (let rest = mask; rest !== 0; rest &= rest - 1) filled[31 - Math.clz32(rest & -rest)]! += 1;
}

/** Columns in the order of their fields' names, so that a row says the same in any order. */
function canonicalOrder(fields: Fields): number[] {
  return fields.map((field, column) => ({ field, column })).filter(({ field }) => field !== null)
    .sort((a, b) => (a.field! < b.field! ? -1 : 1)).map(({ column }) => column);
}
