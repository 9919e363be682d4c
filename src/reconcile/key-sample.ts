/**
 * Samples of inputs' keys, by which two inputs are compared without holding all keys of both. Pure.
 *
 * A sample has the keys with the smallest hashes. So two samples have the same share of the hashes in common: a key that
 * both inputs have and whose hash is below both limits is in both. An input with few keys is in its sample as a whole.
 */

/** The most keys of a sample: their share in common is off by less than two points. */
export const SAMPLE_KEYS = 16_384;
/** From so many keys on, a share of them is meaningful. */
const FEW_KEYS = 256;

export interface KeySample {
  /** Each key's hash once, ascending. */
  readonly hashes: Float64Array;
  /** Every key whose hash is below it is in the sample. Infinity: all keys are. */
  readonly limit: number;
}

export interface KeySampler {
  /** `hash`: a number that is spread evenly from 0 on, the same for the same key. */
  add(hash: number): void;
  sample(): KeySample;
}

export function createKeySampler(most: number = SAMPLE_KEYS): KeySampler {
  let hashes = new Set<number>();
  let limit = Infinity;
  const cut = () => {
    const sorted = Float64Array.from(hashes).sort();
    if (sorted.length <= most) return sorted;
    limit = sorted[most]!;
    const smallest = sorted.slice(0, most);
    hashes = new Set(smallest);
    return smallest;
  };
  return {
    add(hash) {
      if (hash >= limit) return;
      hashes.add(hash);
      if (hashes.size >= 2 * most) cut();
    },
    sample: () => ({ hashes: cut(), limit }),
  };
}

/**
 * The share of the keys of the input with fewer keys that the other one has, too, from 0 to 1. Null: too few of them are in
 * both samples' range, so the other input has to be searched for them (countFound). 0 if either has no keys.
 */
export function sharedKeys(one: KeySample, other: KeySample): number | null {
  const limit = Math.min(one.limit, other.limit);
  const [few, many] = smallerFirst(one, other);
  const inRange = countBelow(few.hashes, limit);
  if (few.hashes.length === 0) return 0;
  if (inRange < Math.min(FEW_KEYS, few.hashes.length)) return null;
  const has = new Set(many.hashes.subarray(0, countBelow(many.hashes, limit)));
  return few.hashes.subarray(0, inRange).filter((hash) => has.has(hash)).length / inRange;
}

/** The sample of the input with fewer keys first: where both are cut, the one that needed the larger limit. */
export function smallerFirst(one: KeySample, other: KeySample): [few: KeySample, many: KeySample] {
  const isSmaller = one.limit === other.limit ? one.hashes.length <= other.hashes.length : one.limit > other.limit;
  return isSmaller ? [one, other] : [other, one];
}

/** Counts which keys of a sample are found among others that are read one by one. */
export function createKeySearch({ hashes }: KeySample): { look(hash: number): void; share(): number } {
  const wanted = new Set(hashes);
  return {
    look: (hash) => void wanted.delete(hash),
    share: () => hashes.length === 0 ? 0 : 1 - wanted.size / hashes.length,
  };
}

/** How many of the ascending hashes are below the limit. */
function countBelow(hashes: Float64Array, limit: number): number {
  let from = 0, to = hashes.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (hashes[middle]! < limit) from = middle + 1;
    else to = middle;
  }
  return from;
}
