/**
 * Recognizes rows: an input's blocks go in, the rows that need planning come out, in batches. A row whose digest is
 * known is the row that was last applied to a user who has not changed since, so it is passed over without being
 * decoded.
 *
 * Rows are recognized by their bytes. If many are not, digests of their cells are loaded, and rows are recognized by
 * those.
 */
import { digestCells } from "../../intake/digest.ts";
import { type Cell, type Fields, type ReadyBlock, type Row, type Salt, USER_FIELDS } from "../../model/record.ts";
import type { Draft } from "../draft.ts";
import { encodeDigest } from "./entry.ts";
import { fieldBits, maskCells, type Masks, type PassedOver } from "./field-bits.ts";
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
  rows(): AsyncIterable<ReadyBlock>;
  /** The field of each column. Throws a Fault for a header that cannot be used. */
  fieldsOf(columns: readonly string[]): Fields;
  /** Salt of digests of a row's bytes. Changes with the columns and everything else that gives a row its meaning. */
  rawSalt(columns: readonly string[]): Salt;
  readonly canonicalSalt: Salt;
  /** Loads digests of cells by field, with the same ordinals as `known`. */
  loadCanonical(): Promise<DigestIndex>;
  /** Whether the last input had the same layout, so that digests of bytes are worth storing. */
  readonly layoutReturns: boolean;
  /** Reports progress, and lets memory be freed; called about once a block. */
  progress(phase: "read" | "look again" | "settle", rows: number): Promise<void>;
}

export interface RowToPlan {
  /** Position of the row in the input, from 0. */
  readonly n: number;
  readonly row: Row;
  /** Position of the row in its batch. */
  readonly place: number;
  /** Bits of the mapped fields whose cells are not empty. */
  readonly filled: number;
  /** The same of those whose cells are there, empty or not. */
  readonly given: number;
}

export interface RowsToPlan {
  readonly rows: readonly RowToPlan[];
  /** The digest of a row's bytes, as stored with its link; valid until the next batch is requested. */
  digestOf(row: RowToPlan, active: boolean): string;
  /** The same for its cells. */
  canonicalOf(row: RowToPlan): string;
}

export interface Recognition {
  /** Rows that need planning: all but those whose digests are known. */
  unknownRows(): AsyncGenerator<RowsToPlan, void>;
  /** Rows that were passed over and are recalled, and those that were postponed. */
  recalledRows(): AsyncGenerator<RowsToPlan, void>;
  /** Whether the input has a column for the field. */
  isMapped(field: string): boolean;
  /** Non-empty cells by mapped field, and rows of active people that were passed over, with theirs by bit. */
  countFilled(): PassedOver & { readonly filled: Readonly<Record<string, number>> };
}

/** Rows planned together: many for each database query, few where there are no users to query. */
const BATCH = 2_000, BATCH_OF_NEW = 250;
/** Rows parsed together: few enough that their strings die in the young generation. */
const PARSED_AT_ONCE = 250;
/** Digests of cells are loaded when more than one row in so many is not known by its bytes. */
const WORTH_CANONICAL = 8;
/** A file with a new layout gets new digests over several runs, so that no run pays for all of them. */
const MAX_REFRESHED = 100_000;

export function createRecognition(draft: Draft, input: RowInput): Recognition {
  const { context } = draft;
  const bits = fieldBits(context.customFields.map(({ key }) => key));
  /** By bit, of rows that were planned. */
  const filled = new Float64Array(32);
  const mapped = new Set<string>();
  const blocks = createBlockReader(draft, input);

  async function* read(again: boolean): AsyncGenerator<RowsToPlan, void> {
    const batch = createBatch(context.lookups.hasUsers ? BATCH : BATCH_OF_NEW);
    const sift = createSieve(draft, input, blocks, again, filled);
    let n = 0;
    let last: Fields | null = null;
    for await (const block of input.rows()) {
      const fields = input.fieldsOf(block.columns);
      // A batch is normalized by the fields of one block.
      if (fields !== last && batch.size > 0) yield batch.take();
      last = fields;
      for (const field of fields) if (field !== null) mapped.add(field);
      const layout: Layout = {
        fields,
        bits,
        order: canonicalOrder(fields, context.rowFilter.placesIn(block.columns)),
        from: n,
      };
      const misses = await blocks.misses(block, again, n);
      for (let from = 0; from < misses.length; from += PARSED_AT_ONCE) {
        const indexes = misses.subarray(from, Math.min(misses.length, from + PARSED_AT_ONCE));
        const rows = await block.rows(indexes);
        for (let i = 0; i < rows.length; i++) {
          if (sift(rows[i]!, indexes[i]!, layout, batch)) yield batch.take();
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
      const all = filled.slice(), filledOfActive = new Float64Array(32), ofOthers = new Float64Array(32);
      const active = countPassedOver(context.known, filledOfActive, ofOthers);
      for (let bit = 0; bit < all.length; bit++) all[bit]! += filledOfActive[bit]! + ofOthers[bit]!;
      const byField = [...bits].filter(([field]) => mapped.has(field)).map(([field, bit]) => [field, all[bit]!]);
      return { filled: Object.fromEntries(byField), active, filledOfActive, leaversDated: ofOthers[DATE_BIT]! };
    },
  };
}

const DATE_BIT = USER_FIELDS.indexOf("deactivation_date");

/** How a block's cells are read. */
interface Layout {
  readonly fields: Fields;
  readonly bits: ReadonlyMap<string, number>;
  /** Columns in the order of their fields' names. */
  readonly order: readonly number[];
  /** Place of the block's first row in the input. */
  readonly from: number;
}

/**
 * Decides for each decoded row whether it needs planning, and puts it into the batch if so; returns whether the batch
 * is full. On the second reading (`again`) only recalled and postponed rows need planning; the others have been
 * planned.
 */
function createSieve(draft: Draft, input: RowInput, blocks: BlockReader, again: boolean, filled: Float64Array) {
  /** The digest of the current row's cells. */
  const canonical = new Int32Array(4);
  const masks: Masks = { filled: 0, given: 0 };
  let refreshed = 0;
  return (row: Row, index: number, { fields, bits, order, from }: Layout, batch: Batch): boolean => {
    const at = index * 4;
    digestCells(row.cells, input.canonicalSalt, canonical, 0, order);
    maskCells(row.cells, fields, bits, masks);
    const isWhole = row.broken === undefined && row.cells.length === row.columns.length;
    const ordinal = blocks.canonical === null || !isWhole ? -1 : findKnown(blocks.canonical, canonical, 0);
    const place = from + index;
    if (!again && ordinal >= 0 && !draft.context.twins.has(place)) {
      const refreshes = input.layoutReturns && refreshed++ < MAX_REFRESHED;
      passByCells(draft, ordinal, masks.filled, refreshes ? blocks.digests : null, at);
      return false;
    }
    const isPostponed = again && draft.postponed.has(place);
    if (again && !isPostponed && !blocks.isRecalled(ordinal, at)) return false;
    if (!isPostponed) countFilled(filled, masks.filled);
    // When most rows of a block are passed over, the few in the batch must not keep the text of all alive.
    const own = blocks.canonical === null ? row : { ...row, cells: ownCells(row.cells) };
    return batch.add({ n: place, row: own, place: batch.size, ...masks }, blocks.digests, at, canonical);
  };
}

/** Passes over a row that is known by its cells. With `digests`, its bytes are known from now on, too. */
function passByCells(draft: Draft, ordinal: number, mask: number, digests: Int32Array | null, at: number): void {
  const { known, filler } = draft.context;
  passRow(draft, ordinal);
  if (digests === null) return noteFilled(known, ordinal, mask);
  const digest = refreshDigest(known, ordinal, mask, digests, at);
  filler.add("digests", encodeDigest(userOfLink(known, ordinal), digest));
}

/** Notes that a row was passed over. A second row of the same link recalls the first: each will name the other. */
function passRow(draft: Draft, ordinal: number): void {
  if (!passOver(draft.context.known, ordinal)) draft.recalled.add(ordinal);
}

type BlockReader = ReturnType<typeof createBlockReader>;
type Batch = ReturnType<typeof createBatch>;

/** Finds the rows of a block that are not known by their bytes. */
function createBlockReader(draft: Draft, input: RowInput) {
  const { known, shortcut, twins } = draft.context;
  let digests = new Int32Array(0), ordinals = new Int32Array(0), misses = new Int32Array(0);
  /** Digests of cells. Undefined until the first block has shown whether they are worth loading. */
  let canonical: DigestIndex | null | undefined = shortcut && known.size > 0 ? undefined : null;

  function lookUpDigests(block: ReadyBlock): void {
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
    /** Digests of cells; null where rows are known only by their bytes. */
    get canonical() {
      return canonical ?? null;
    },
    /**
     * Indexes of rows to decode: unknown ones, those that share their keys, and recalled ones on the second reading.
     * `from`: the place of the block's first row. Valid for this block.
     */
    async misses(block: ReadyBlock, again: boolean, from: number): Promise<Int32Array> {
      lookUpDigests(block);
      let missed = 0;
      for (let i = 0; i < block.count; i++) {
        const ordinal = ordinals[i]!;
        const isTwin = twins.size > 0 && twins.has(from + i);
        if (ordinal >= 0 && !again && !isTwin) passRow(draft, ordinal);
        else if (ordinal < 0 || isTwin || draft.recalled.has(ordinal)) misses[missed++] = i;
      }
      if (canonical === undefined) {
        // The file has a new layout: its rows can only be known by their cells.
        if (missed * 2 > block.count) forgetDigests(known);
        canonical = missed * WORTH_CANONICAL > block.count ? await input.loadCanonical() : null;
      }
      return misses.subarray(0, missed);
    },
    /** Whether a row was passed over on the first reading: by its cells (`ordinal`), or by its bytes. */
    isRecalled: (ordinal: number, at: number) =>
      (ordinal >= 0 && draft.recalled.has(ordinal)) || (shortcut && findKnown(known, digests, at) >= 0),
  };
}

/** Gathers rows of several blocks, so that a few changed rows in each do not make a database query each. */
function createBatch(capacity: number) {
  const digests = new Int32Array(capacity * 4), canonicals = new Int32Array(capacity * 4);
  let rows: RowToPlan[] = [];
  return {
    get size() {
      return rows.length;
    },
    /** Adds a row with copies of its two digests. Returns whether the batch is full. */
    add(row: RowToPlan, digest: Int32Array, from: number, canonical: Int32Array): boolean {
      const { place } = row;
      for (let word = 0; word < 4; word++) {
        digests[place * 4 + word] = digest[from + word]!;
        canonicals[place * 4 + word] = canonical[word]!;
      }
      return rows.push(row) === capacity;
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

/** Copies of the cells that do not keep the text alive from which they were cut. Absent cells stay absent. */
function ownCells(cells: readonly Cell[]): Cell[] {
  const copies = JSON.parse(JSON.stringify(cells)) as Cell[];
  return copies.map((copy, i) => cells[i] === undefined ? undefined : copy);
}

/**
 * Columns in the order of their fields' names, so that a row has one digest in any order of columns. `deciding`: columns
 * that choose the rows to import, though they may have no field.
 */
function canonicalOrder(fields: Fields, deciding: readonly number[]): number[] {
  const mapped = fields.map((field, column) => ({ field, column })).filter(({ field }) => field !== null)
    .sort((a, b) => (a.field! < b.field! ? -1 : 1)).map(({ column }) => column);
  return [...mapped, ...deciding];
}
