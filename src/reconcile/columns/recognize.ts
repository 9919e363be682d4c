/**
 * Recognizes rows: an input's blocks go in, the rows that need planning come out, in batches. A row whose digest is known
 * says what was last applied to a user who has not changed since, so it is passed over without being decoded.
 *
 * Rows are known by their bytes, or else by their cells, which are worth loading where many are not known by their bytes.
 */
import { digestCells } from "../../intake/digest.ts";
import { type Cell, type Fields, type Row, type RowBlock, type Salt, USER_FIELDS } from "../../model/record.ts";
import type { Draft } from "../draft.ts";
import { encodeDigest } from "./entry.ts";
import {
  countFilled,
  countPassedOver,
  type DigestIndex,
  findAllKnown,
  findKnown,
  forgetDigests,
  formatCanonical,
  formatRowDigest,
  noteFilled,
  passOver,
  refreshDigest,
  userOfLink,
} from "./known.ts";

export interface RowInput {
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
  /** Reports how far it is, and lets memory be given back; called about once a block. */
  progress(phase: "read" | "look again" | "settle", rows: number): Promise<void>;
}

export interface RowToPlan {
  readonly n: number;
  readonly row: Row;
  /** Place of the row in its batch. */
  readonly place: number;
  /** Bits of the mapped fields whose cells are not empty. */
  readonly filled: number;
}

export interface RowsToPlan {
  readonly rows: readonly RowToPlan[];
  /** The digest of a row's bytes, as stored with its link; good until the next batch is asked for. */
  digestOf(row: RowToPlan, active: boolean): string;
  /** The same of its cells. */
  canonicalOf(row: RowToPlan): string;
}

export interface Recognition {
  /** Rows that need planning: all but those whose digests are known. */
  unknownRows(): AsyncGenerator<RowsToPlan, void>;
  /** Rows that were passed over and are recalled, and those that were postponed. */
  recalledRows(): AsyncGenerator<RowsToPlan, void>;
  /** Whether the input has a column for the field. */
  isMapped(field: string): boolean;
  /** Non-empty cells by mapped field, and how many rows that were passed over are of active people. */
  countFilled(): { readonly filled: Readonly<Record<string, number>>; readonly active: number };
}

/** Rows planned together: as many as are worth a question to the database, few where there is nobody to ask about. */
const BATCH = 2_000, BATCH_OF_STRANGERS = 250;
/** Rows parsed together: few enough that their strings die in the young generation. */
const PARSED_AT_ONCE = 250;
/** Digests of cells are loaded when more than one row in so many is not known by its bytes. */
const WORTH_CANONICAL = 8;
/** A file that is written otherwise from now on gets new digests bit by bit, so that no night pays for all of them. */
const MAX_REFRESHED = 100_000;

export function createRecognition(draft: Draft, input: RowInput): Recognition {
  const { context } = draft;
  const { known } = context;
  const bits = fieldBits(context.customFields.map((field) => field.key));
  /** By bit, of rows that were planned. */
  const filled = new Float64Array(32);
  const mapped = new Set<string>();
  const blocks = createBlockReader(draft, input);
  const canonicals = new Int32Array(4);

  /** Keeps a row that is known by its cells out of the batch; its bytes are known from now on, where that is worth it. */
  function passByCells(ordinal: number, mask: number, digests: Int32Array, at: number, refreshes: boolean): void {
    passRow(draft, ordinal);
    if (!refreshes) return noteFilled(known, ordinal, mask);
    const digest = refreshDigest(known, ordinal, mask, digests, at);
    context.filler.add("digests", encodeDigest(userOfLink(known, ordinal), digest));
  }

  async function* read(again: boolean): AsyncGenerator<RowsToPlan, void> {
    const batch = createBatch(context.lookups.hasUsers ? BATCH : BATCH_OF_STRANGERS);
    let n = 0, refreshed = 0;
    let last: Fields | null = null;
    for await (const block of input.rows()) {
      const fields = input.fieldsOf(block.columns);
      // Rows are normalized by the columns that hold now.
      if (fields !== last && batch.size > 0) yield batch.take();
      last = fields;
      for (const field of fields) if (field !== null) mapped.add(field);
      const order = canonicalOrder(fields);
      const misses = await blocks.misses(block, again);
      const { canonical, digests } = blocks;
      for (let from = 0; from < misses.length; from += PARSED_AT_ONCE) {
        const indexes = misses.subarray(from, Math.min(misses.length, from + PARSED_AT_ONCE));
        const rows = block.rows(indexes);
        for (let i = 0; i < rows.length; i++) {
          const row = rows[i]!, at = indexes[i]! * 4;
          digestCells(row.cells, input.canonicalSalt, canonicals, 0, order);
          const mask = maskOf(row.cells, fields, bits);
          const ordinal = canonical === null || row.cells.length !== row.columns.length
            ? -1
            : findKnown(canonical, canonicals, 0);
          if (!again && ordinal >= 0) {
            passByCells(ordinal, mask, digests, at, input.layoutReturns && refreshed++ < MAX_REFRESHED);
            continue;
          }
          // The second time only those that were passed over count; the others have been planned.
          const place = n + indexes[i]!;
          const postponed = again && draft.postponed.has(place);
          if (again && !postponed && !blocks.isRecalled(ordinal, at)) continue;
          if (!postponed) countFilled(filled, mask);
          // Where most rows of a block are passed over, the few that wait must not keep the text of all alive.
          const own = canonical === null ? row : { ...row, cells: ownCells(row.cells) };
          if (batch.add(place, own, mask, digests, at, canonicals)) yield batch.take();
        }
      }
      n += block.count;
      if (context.filler.isFull) await context.filler.writeFull();
      await input.progress(again ? "look again" : "read", n);
    }
    if (batch.size > 0) yield batch.take();
    draft.rows = n;
  }

  return {
    unknownRows: () => read(false),
    recalledRows: () => read(true),
    isMapped: (field) => mapped.has(field),
    countFilled() {
      const all = filled.slice();
      const active = countPassedOver(known, all);
      const byField = [...bits].filter(([field]) => mapped.has(field)).map(([field, bit]) => [field, all[bit]!]);
      return { filled: Object.fromEntries(byField), active };
    },
  };
}

/** Notes that a row was passed over. The second row of one link is recalled with the first: each will name the other. */
function passRow(draft: Draft, ordinal: number): void {
  if (!passOver(draft.context.known, ordinal)) draft.recalled.add(ordinal);
}

/** Finds the rows of a block that are not known by their bytes. */
function createBlockReader(draft: Draft, input: RowInput) {
  const { known, shortcut } = draft.context;
  let digests = new Int32Array(0), ordinals = new Int32Array(0), misses = new Int32Array(0);
  /** Undefined until the first rows have shown whether it is worth loading. */
  let canonical: DigestIndex | null | undefined = shortcut && known.size > 0 ? undefined : null;

  function lookUpDigests(block: RowBlock): void {
    if (misses.length < block.count) {
      digests = new Int32Array(block.count * 4);
      ordinals = new Int32Array(block.count);
      misses = new Int32Array(block.count);
    }
    const salt = input.rawSalt(block.columns);
    for (let i = 0; i < block.count; i++) block.digest(i, salt, digests, i * 4);
    if (shortcut) findAllKnown(known, digests, block.count, ordinals);
    else ordinals.fill(-1);
  }

  return {
    /** Digests of the block's bytes, four words a row. */
    get digests() {
      return digests;
    },
    /** Digests of cells, where rows are known by those too. */
    get canonical() {
      return canonical ?? null;
    },
    /** Places of rows to decode: unknown ones, and recalled ones where the input is read again. Good for this block. */
    async misses(block: RowBlock, again: boolean): Promise<Int32Array> {
      lookUpDigests(block);
      let missed = 0;
      for (let i = 0; i < block.count; i++) {
        const ordinal = ordinals[i]!;
        if (ordinal >= 0 && !again) passRow(draft, ordinal);
        else if (ordinal < 0 || draft.recalled.has(ordinal)) misses[missed++] = i;
      }
      if (canonical === undefined) {
        // A file written otherwise: from here on its rows are known by their cells alone.
        if (missed * 2 > block.count) forgetDigests(known);
        canonical = missed * WORTH_CANONICAL > block.count ? await input.loadCanonical() : null;
      }
      return misses.subarray(0, missed);
    },
    /** Whether a row that was decoded again is one that was passed over: by its cells (`ordinal`), or its bytes. */
    isRecalled: (ordinal: number, at: number) =>
      (ordinal >= 0 && draft.recalled.has(ordinal)) || (shortcut && findKnown(known, digests, at) >= 0),
  };
}

/** Gathers rows of several blocks, as a few changed rows in each would ask the database a few at a time. */
function createBatch(capacity: number) {
  const digests = new Int32Array(capacity * 4), canonicals = new Int32Array(capacity * 4);
  let rows: RowToPlan[] = [];
  return {
    get size() {
      return rows.length;
    },
    /** Takes a row with its two digests, which it copies. True: it is full. */
    add(n: number, row: Row, filled: number, digest: Int32Array, from: number, canonical: Int32Array): boolean {
      const place = rows.length;
      for (let word = 0; word < 4; word++) {
        digests[place * 4 + word] = digest[from + word]!;
        canonicals[place * 4 + word] = canonical[word]!;
      }
      return rows.push({ n, row, place, filled }) === capacity;
    },
    take(): RowsToPlan {
      const taken = rows;
      rows = [];
      return {
        rows: taken,
        digestOf: ({ place, filled }, active) => formatRowDigest(digests, place * 4, filled, active),
        canonicalOf: ({ place }) => formatCanonical(canonicals, place * 4),
      };
    },
  };
}

/** The cells without the text that they were cut from. One that is absent stays so: it is not empty. */
function ownCells(cells: readonly Cell[]): Cell[] {
  const copies = JSON.parse(JSON.stringify(cells)) as Cell[];
  return copies.map((copy, i) => cells[i] === undefined ? undefined : copy);
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

/** Columns in the order of their fields' names, so that a row says the same in any order. */
function canonicalOrder(fields: Fields): number[] {
  return fields.map((field, column) => ({ field, column })).filter(({ field }) => field !== null)
    .sort((a, b) => (a.field! < b.field! ? -1 : 1)).map(({ column }) => column);
}
