/** What happens to files on their way: they are cut off, changed by hand, glued together, or hit by a wrong byte. */
import type { Random } from "./random.ts";
import type { Input } from "./shapes.ts";

/** Bytes that mean something to a reader of text, of JSON, or of archives. */
const TELLING = [
  0x00,
  0x0a,
  0x0d,
  0x1a,
  0x20,
  0x22,
  0x27,
  0x2c,
  0x3b,
  0x3d,
  0x5c,
  0x7b,
  0x7d,
  0x80,
  0xc3,
  0xfe,
  0xff,
] as const;

type Change = (bytes: Uint8Array<ArrayBuffer>, random: Random) => Uint8Array<ArrayBuffer>;

const CHANGES: readonly Change[] = [
  // Cut off at its end, or at its beginning.
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.slice(random.below(bytes.length + 1)),
  // A byte changed, taken out, put in.
  (bytes, random) => {
    if (bytes.length === 0) return bytes;
    const changed = bytes.slice();
    changed[random.below(bytes.length)] = random.once(2) ? random.below(256) : random.pick(TELLING);
    return changed;
  },
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), 1 + random.below(4), []),
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), 0, [random.pick(TELLING)]),
  // A part of it twice, or in another place.
  (bytes, random) => {
    const [from, to] = [random.below(bytes.length + 1), random.below(bytes.length + 1)].toSorted((a, b) => a - b);
    return splice(bytes, random.below(bytes.length + 1), 0, bytes.subarray(from, Math.min(to!, from! + 2_000)));
  },
  // One thing for very long.
  (bytes, random) => {
    const one = random.pick(TELLING);
    return splice(bytes, random.below(bytes.length + 1), 0, Array<number>(1 + random.below(5_000)).fill(one));
  },
];

/** Most inputs are changed a little, some not at all. Names and types may be wrong, too. */
export function mutate(input: Input, random: Random): Input {
  let { bytes, name, type } = input;
  for (let changes = random.below(4); changes > 0; changes--) bytes = random.pick(CHANGES)(bytes, random);
  if (random.once(10)) name = random.pick(["people", "people.csv", "people.xlsx", "people.json", "people.csv.gz"]);
  if (random.once(10)) type = random.pick(["text/csv", "application/json", "application/x-ndjson"]);
  return { name, type, bytes };
}

function splice(bytes: Uint8Array, at: number, out: number, put: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const end = Math.min(bytes.length, at + out);
  const result = new Uint8Array(bytes.length - (end - at) + put.length);
  result.set(bytes.subarray(0, at));
  result.set(put, at);
  result.set(bytes.subarray(end), at + put.length);
  return result;
}
