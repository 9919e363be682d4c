/**
 * The links of a connection in memory: one digest for each link, and which links this input has shown.
 *
 * A row whose digest is here is the row that was last applied to a user who has not changed since, so it needs no
 * decoding, no parsing and no database query. The index only filters rows before planning, which is right without it.
 * Costs about 40 bytes a link. No I/O. No clock.
 */

/** A link's place in `Known`, from 0. */
export type Ordinal = number;

/**
 * Not seen; seen and passed over, as its digest is known; seen in a row that was planned; not missing, as the row of somebody
 * else names its user.
 */
const UNSEEN = 0, PASSED_OVER = 1, PLANNED = 2, NAMED = 3;

/** Links by a digest of their rows. */
export interface DigestIndex {
  size: number;
  /** Four words a link. */
  digests: Int32Array;
  /** Ordinal + 1 by digest, 0 is free; length is a power of two. */
  slots: Int32Array;
}

/** A connection's links by the digests of their rows' bytes. */
export interface Known extends DigestIndex {
  /** User of each link. */
  users: Float64Array;
  /** Bit i: the i-th mapped field's cell was not empty. Bit 31: the record was active. */
  masks: Int32Array;
  seen: Uint8Array;
  /** Ordinal + 1 by user, filled by the first look-up. */
  byUser: Int32Array | null;
}

const WORDS = 4;
const DIGEST_BYTES = 20;
/** The stored digest of a link without digests, in hex. */
export const NO_DIGEST = "0".repeat(2 * DIGEST_BYTES);
const ACTIVE_BIT = 1 << 31;

export function createDigestIndex(capacity: number): DigestIndex {
  return { size: 0, digests: new Int32Array(capacity * WORDS), slots: new Int32Array(slotCount(capacity)) };
}

export function createKnown(capacity: number): Known {
  return {
    ...createDigestIndex(capacity),
    users: new Float64Array(capacity),
    masks: new Int32Array(capacity),
    seen: new Uint8Array(capacity),
    byUser: null,
  };
}

/**
 * Adds a block of links: their digests, DIGEST_BYTES each, in big-endian words, all zero for none. `onMask` gets the
 * mask after each digest.
 */
export function addDigests(
  index: DigestIndex,
  count: number,
  digests: ArrayBuffer,
  onMask: (ordinal: Ordinal, mask: number) => void = () => {},
): void {
  const words = new DataView(digests);
  const first = index.size;
  for (let i = 0, at = 0; i < count; i++, at += DIGEST_BYTES) {
    const base = (first + i) * WORDS;
    for (let word = 0; word < WORDS; word++) index.digests[base + word] = words.getInt32(at + word * 4);
    onMask(first + i, words.getInt32(at + WORDS * 4));
  }
  index.size += count;
  // Slots are far apart in memory. In a loop that does nothing else, the processor fetches several at once.
  const { slots } = index;
  const last = slots.length - 1;
  for (let ordinal = first; ordinal < index.size; ordinal++) {
    if (isNone(index.digests, ordinal * WORDS)) continue;
    let slot = index.digests[ordinal * WORDS]! & last;
    while (slots[slot] !== 0) slot = (slot + 1) & last;
    slots[slot] = ordinal + 1;
  }
}

function isNone(digests: Int32Array, at: number): boolean {
  return (digests[at]! | digests[at + 1]! | digests[at + 2]! | digests[at + 3]!) === 0;
}

/** Adds a block of links with their users. */
export function addKnown(known: Known, users: readonly number[], digests: ArrayBuffer): void {
  for (let i = 0; i < users.length; i++) known.users[known.size + i] = users[i]!;
  addDigests(known, users.length, digests, (ordinal, mask) => known.masks[ordinal] = mask);
}

/** Frees the digests' memory: no row is known by its bytes any more. */
export function forgetDigests(known: Known): void {
  known.digests = new Int32Array(0);
  known.slots = new Int32Array(slotCount(0));
}

/** The link whose row had this digest, or -1. */
export function findKnown(known: DigestIndex, digest: Int32Array, at: number): Ordinal {
  const { slots, digests } = known;
  const mask = slots.length - 1;
  for (let slot = digest[at]! & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
    const base = (slots[slot]! - 1) * WORDS;
    if (
      digests[base] === digest[at] && digests[base + 1] === digest[at + 1] && digests[base + 2] === digest[at + 2] &&
      digests[base + 3] === digest[at + 3]
    ) return slots[slot]! - 1;
  }
  return -1;
}

/** Finds the links of the first `count` digests; -1 for none. In one loop, so that the processor can prefetch slots. */
export function findAllKnown(known: DigestIndex, digests: Int32Array, count: number, ordinals: Int32Array): void {
  for (let i = 0; i < count; i++) ordinals[i] = findKnown(known, digests, i * WORDS);
}

/** The link of this user, if it has one: a connection has at most one link to a user. */
export function linkOfUser(known: Known, userId: number): Ordinal | null {
  if (known.size === 0) return null;
  known.byUser ??= indexUsers(known);
  const mask = known.byUser.length - 1;
  for (let slot = hashNumber(userId) & mask; known.byUser[slot] !== 0; slot = (slot + 1) & mask) {
    const ordinal = known.byUser[slot]! - 1;
    if (known.users[ordinal] === userId) return ordinal;
  }
  return null;
}

export function userOfLink(known: Known, ordinal: Ordinal): number {
  return known.users[ordinal]!;
}

/** Notes that the link's row is passed over; returns false when a row of the link was seen before. */
export function passOver(known: Known, ordinal: Ordinal): boolean {
  if (isOwnSeen(known, ordinal)) return false;
  known.seen[ordinal] = PASSED_OVER;
  return true;
}

export function wasPassedOver(known: Known, ordinal: Ordinal): boolean {
  return known.seen[ordinal] === PASSED_OVER;
}

/** Whether the input has a row with the key of the user's link, as far as it was read. */
export function isSeen(known: Known, userId: number): boolean {
  const ordinal = linkOfUser(known, userId);
  return ordinal !== null && isOwnSeen(known, ordinal);
}

function isOwnSeen(known: Known, ordinal: Ordinal): boolean {
  const seen = known.seen[ordinal]!;
  return seen === PASSED_OVER || seen === PLANNED;
}

/** Notes that a row of the link is planned. */
export function markPlanned(known: Known, ordinal: Ordinal): void {
  known.seen[ordinal] = PLANNED;
}

/** Notes that the link is not missing, whatever the outcome of its row. */
export function markPresent(known: Known, ordinal: Ordinal): void {
  if (known.seen[ordinal] === UNSEEN) known.seen[ordinal] = NAMED;
}

/** Whether no row of the input was this link's. */
export function isUnseen(known: Known, ordinal: Ordinal): boolean {
  return known.seen[ordinal] === UNSEEN;
}

/** Users of links that the input has not shown, at most `size` at a time. */
export function unseenUsers(known: Known, size: number): Generator<number[], void> {
  return usersBySeen(known, UNSEEN, size);
}

/** Users of links whose own rows the input has not shown, but whom the rows of others name, at most `size` at a time. */
export function namedUsers(known: Known, size: number): Generator<number[], void> {
  return usersBySeen(known, NAMED, size);
}

/** Users of links whose rows were passed over, at most `size` at a time. */
export function passedOverUsers(known: Known, size: number): Generator<number[], void> {
  return usersBySeen(known, PASSED_OVER, size);
}

function* usersBySeen(known: Known, seen: number, size: number): Generator<number[], void> {
  for (let from = 0; from < known.size;) {
    const ids: number[] = [];
    for (; from < known.size && ids.length < size; from++) {
      if (known.seen[from] === seen) ids.push(known.users[from]!);
    }
    if (ids.length > 0) yield ids;
  }
}

/** Notes the mask of a link whose row is known by its cells, and returns the digest of its bytes to store. */
export function refreshDigest(known: Known, ordinal: Ordinal, mask: number, digests: Int32Array, at: number): string {
  noteFilled(known, ordinal, mask);
  return formatDigest(digests, at, known.masks[ordinal]!);
}

/** Notes which cells of the link's row are filled. */
export function noteFilled(known: Known, ordinal: Ordinal, mask: number): void {
  known.masks[ordinal] = mask | (known.masks[ordinal]! & ACTIVE_BIT);
}

/** Adds the filled cells of rows that were passed over, by bit; returns how many of the records are active. */
export function countPassedOver(known: Known, ofActive: Float64Array, ofOthers: Float64Array): number {
  let active = 0;
  for (let ordinal = 0; ordinal < known.size; ordinal++) {
    if (known.seen[ordinal] !== PASSED_OVER) continue;
    const mask = known.masks[ordinal]!;
    if (mask & ACTIVE_BIT) active++;
    countFilled(mask & ACTIVE_BIT ? ofActive : ofOthers, mask & ~ACTIVE_BIT);
  }
  return active;
}

/** Adds one for each bit of the mask. */
export function countFilled(filled: Float64Array, mask: number): void {
  for (let rest = mask; rest !== 0; rest &= rest - 1) filled[31 - Math.clz32(rest & -rest)]! += 1;
}

/** A row's digest with the mask of its filled cells, as stored with its link. */
export function formatRowDigest(digest: Int32Array, at: number, mask: number, active: boolean): string {
  return formatDigest(digest, at, mask | (active ? ACTIVE_BIT : 0));
}

/** A digest of a row's cells, as stored with its link. */
export function formatCanonical(digest: Int32Array, at: number): string {
  return formatDigest(digest, at, 0).slice(0, 2 * WORDS * 4);
}

function formatDigest(digest: Int32Array, at: number, mask: number): string {
  let text = "";
  for (let word = 0; word < WORDS; word++) text += formatWord(digest[at + word]!);
  return text + formatWord(mask);
}

function indexUsers(known: Known): Int32Array {
  const slots = new Int32Array(slotCount(known.size));
  const mask = slots.length - 1;
  for (let ordinal = 0; ordinal < known.size; ordinal++) {
    let slot = hashNumber(known.users[ordinal]!) & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = ordinal + 1;
  }
  return slots;
}

/** A power of two, at most two thirds full. */
export function slotCount(entries: number): number {
  let slots = 16;
  while (slots * 2 < entries * 3) slots *= 2;
  return slots;
}

/** Spreads consecutive ids over the slots (Knuth's multiplicative hash). */
export function hashNumber(value: number): number {
  return Math.imul(value | 0, 0x9e3779b1) ^ Math.floor(value / 0x100000000);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

function formatWord(word: number): string {
  return HEX[word >>> 24]! + HEX[(word >>> 16) & 255]! + HEX[(word >>> 8) & 255]! + HEX[word & 255]!;
}
