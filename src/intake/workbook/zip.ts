/**
 * A zip archive that is held in memory: its entries by name, and what one of them unpacks to, piece by piece.
 *
 * Entries are found by the central directory at the end, as its sizes are right where an archive was streamed. Every
 * number in an archive may be a lie, so each is checked: places against the file, sizes and checksums against what was
 * unpacked. Throws Faults: `workbook_invalid` and `too_large`. (PKWARE's APPNOTE.TXT, sections 4.3 to 4.5.)
 */
import { Inflate } from "fflate";
import { Fault } from "../../model/errors.ts";
import { sizeInWords } from "../../std/size.ts";

export interface Entry {
  /** As in the archive. */
  readonly name: string;
  readonly isStored: boolean;
  readonly packed: Uint8Array;
  readonly bytes: number;
  readonly crc: number;
}

/** By name: lower case, with `/` between folders, without one in front. */
export type Entries = ReadonlyMap<string, Entry>;

/** Every document of Office Open XML has this entry. */
export const CONTENT_TYPES = "[content_types].xml";

const END = 0x06054b50, END_64 = 0x06064b50, END_64_LOCATOR = 0x07064b50, FILE = 0x02014b50, LOCAL = 0x04034b50;
const END_BYTES = 22, LOCATOR_BYTES = 20, FILE_BYTES = 46, LOCAL_BYTES = 30;
const STORED = 0, DEFLATED = 8, ENCRYPTED = 1;
const MAX_ENTRIES = 10_000;
/** What unpacks to more than this has to be less than so many times its packed size; workbooks have 8 to 13 times. */
const FREE_BYTES = 64 * 1024 * 1024, MAX_RATIO = 200;
/** One slice may unpack to a thousand times its size. */
const SLICE_BYTES = 2048;

/** `maxBytes`: of all entries together, unpacked. */
export function readEntries(file: Uint8Array, maxBytes: number): Entries {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const { count, at: start } = findDirectory(view);
  if (count > MAX_ENTRIES) {
    throw new Fault("too_large", `The workbook has ${count} parts, over the limit of ${MAX_ENTRIES}`);
  }
  const entries = new Map<string, Entry>();
  const places: { from: number; to: number }[] = [];
  let at = start, bytes = 0;
  for (let n = 0; n < count; n++) {
    if (at + FILE_BYTES > file.length || view.getUint32(at, true) !== FILE) throw damaged();
    const { entry, place, next } = readEntry(file, view, at);
    const name = entry.name.toLowerCase().replaceAll("\\", "/").replace(/^\/+/, "");
    if (entries.has(name)) throw new Fault("workbook_invalid", `The workbook has two parts named "${entry.name}"`);
    entries.set(name, entry);
    places.push(place);
    bytes += entry.bytes;
    at = next;
  }
  refuseOverlaps(places);
  if (bytes > maxBytes) {
    throw new Fault(
      "too_large",
      `The workbook unpacks to ${sizeInWords(bytes)}, over the limit of ${sizeInWords(maxBytes)}`,
    );
  }
  if (bytes > FREE_BYTES && bytes > file.length * MAX_RATIO) {
    throw new Fault(
      "too_large",
      `The workbook unpacks to ${Math.floor(bytes / file.length)} times its size: it is not read`,
    );
  }
  return entries;
}

/** Throws when more or less comes out than the archive says, or something else. */
export function* unpack(entry: Entry): Generator<Uint8Array, void> {
  let crc = 0, bytes = 0;
  for (const piece of entry.isStored ? [entry.packed] : inflate(entry)) {
    bytes += piece.length;
    if (bytes > entry.bytes) throw damaged(entry.name);
    crc = crc32(piece, crc);
    yield piece;
  }
  if (bytes !== entry.bytes || crc !== entry.crc) throw damaged(entry.name);
}

function* inflate({ name, packed }: Entry): Generator<Uint8Array, void> {
  let pieces: Uint8Array[] = [];
  const inflater = new Inflate((piece) => void (piece.length > 0 && pieces.push(piece)));
  for (let at = 0; at < packed.length; at += SLICE_BYTES) {
    const last = at + SLICE_BYTES >= packed.length;
    try {
      inflater.push(packed.subarray(at, at + SLICE_BYTES), last);
    } catch (cause) {
      throw damaged(name, cause);
    }
    yield* pieces;
    pieces = [];
  }
}

function findDirectory(view: DataView): { count: number; at: number } {
  // Behind it there may be a comment of up to 65,535 bytes.
  const least = Math.max(0, view.byteLength - END_BYTES - 0xffff);
  let end = view.byteLength - END_BYTES;
  while (end >= least && view.getUint32(end, true) !== END) end--;
  if (end < least) throw new Fault("input_incomplete", "The workbook is cut off: send the whole file");
  const locator = end - LOCATOR_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== END_64_LOCATOR) {
    return { count: view.getUint16(end + 10, true), at: view.getUint32(end + 16, true) };
  }
  const end64 = Number(view.getBigUint64(locator + 8, true));
  if (end64 + 56 > view.byteLength || view.getUint32(end64, true) !== END_64) throw damaged();
  return { count: Number(view.getBigUint64(end64 + 32, true)), at: Number(view.getBigUint64(end64 + 48, true)) };
}

/** The entry whose directory record is at `at`, where its bytes lie in the file, and where the next record is. */
function readEntry(file: Uint8Array, view: DataView, at: number) {
  const flags = view.getUint16(at + 8, true), method = view.getUint16(at + 10, true);
  const nameLength = view.getUint16(at + 28, true), extraLength = view.getUint16(at + 30, true);
  const extraAt = at + FILE_BYTES + nameLength, next = extraAt + extraLength + view.getUint16(at + 32, true);
  if (next > file.length) throw damaged();
  const name = new TextDecoder().decode(file.subarray(at + FILE_BYTES, extraAt));
  if ((flags & ENCRYPTED) !== 0) {
    throw new Fault("workbook_invalid", "The workbook has a password: save it without one");
  }
  if (method !== STORED && method !== DEFLATED) throw damaged(name);
  const { bytes, packedBytes, offset } = sizesOf(view, at, extraAt, extraLength);
  if (offset + LOCAL_BYTES > file.length || view.getUint32(offset, true) !== LOCAL) throw damaged(name);
  const from = offset + LOCAL_BYTES + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  const to = from + packedBytes;
  if (to > file.length) throw damaged(name);
  const packed = file.subarray(from, to);
  const entry: Entry = { name, isStored: method === STORED, packed, bytes, crc: view.getUint32(at + 16, true) };
  return { entry, place: { from: offset, to }, next };
}

/** Sizes that do not fit in 32 bits stand in an extra field, in this order, and only those that do not fit. */
function sizesOf(view: DataView, at: number, extraAt: number, extraLength: number) {
  const small = [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)];
  let field = extraAt;
  while (field + 4 <= extraAt + extraLength && view.getUint16(field, true) !== 1) {
    field += 4 + view.getUint16(field + 2, true);
  }
  let place = field + 4;
  const [bytes, packedBytes, offset] = small.map((size) => {
    if (size !== 0xffffffff) return size;
    if (place + 8 > extraAt + extraLength) throw damaged();
    place += 8;
    return Number(view.getBigUint64(place - 8, true));
  }) as [number, number, number];
  return { bytes, packedBytes, offset };
}

/** Entries that share bytes unpack to far more than the file holds. */
function refuseOverlaps(places: { from: number; to: number }[]): void {
  places.sort((a, b) => a.from - b.from);
  if (places.some(({ from }, i) => i > 0 && from < places[i - 1]!.to)) throw damaged();
}

function damaged(part?: string, cause?: unknown): Fault {
  const where = part === undefined ? "" : ` in its part "${part}"`;
  return new Fault("workbook_invalid", `The workbook is damaged${where}: open it in a spreadsheet and save it again`, {
    cause,
  });
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let word = n;
  for (let bit = 0; bit < 8; bit++) word = (word & 1) === 1 ? (word >>> 1) ^ 0xedb88320 : word >>> 1;
  return word;
});

function crc32(bytes: Uint8Array, before: number): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
