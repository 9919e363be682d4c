/** One input through the reader: it is read alike in any chunks, or refused with a reason. */
import assert from "node:assert/strict";
import { readDrop } from "../../src/intake/media.ts";
import { type FaultCode, FAULTS } from "../../src/model/errors.ts";
import { faultOf, readAll, streamOf } from "../intake/bytes.ts";
import type { Random } from "./random.ts";
import type { Input } from "./shapes.ts";

const MOST_BYTES = 4_000_000;
/** Refusals about one place, which have to name it. */
const AT_A_LINE: ReadonlySet<string> = new Set(["quote_invalid"]);

/** Fails if the reader does what it must not. Gives the code of the fault, or `read`. */
export async function readOnce({ name, type, bytes }: Input, random: Random): Promise<string> {
  const read = async (sizes: readonly number[]) => {
    const reader = (_: unknown, options: Parameters<typeof readDrop>[1], report: Parameters<typeof readDrop>[2]) =>
      readDrop({ name, contentType: type, bytes: bytes.length, open: () => streamOf(bytes, sizes) }, options, report);
    const refused = await faultOf(reader, new Uint8Array(0), { maxBytes: MOST_BYTES });
    if (refused !== "read without a Fault") return { refused };
    return { refused: null, reading: await readAll(reader, new Uint8Array(0), { maxBytes: MOST_BYTES }) };
  };
  const [whole, apart] = [await read([65_536]), await read([1 + random.below(7), 1 + random.below(300)])];
  // Where both what is packed and its packing are damaged, either is found first.
  const isEither = isPacked(bytes) && whole.refused !== null && apart.refused !== null;
  if (!isEither) assert.deepEqual(apart, whole, "chunks of other sizes read the same");
  else checkRefusal(apart.refused!);
  if (whole.refused !== null) return checkRefusal(whole.refused);
  const { lines, cells, columns } = whole.reading;
  for (const [i, line] of lines.entries()) {
    assert.ok(line === null || i === 0 || line > lines[i - 1]!, "lines go up");
    assert.ok(cells[i]!.length <= 500 && columns.length <= 500);
  }
  return "read";
}

/** By the first bytes of gzip, and of archives. */
function isPacked(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b || bytes[0] === 0x50 && bytes[1] === 0x4b;
}

function checkRefusal(refused: string): string {
  const [, code, message, line] = /^(\w+): (.*?)( @\d+)?$/s.exec(refused)!;
  assert.ok(FAULTS[code as FaultCode] !== undefined, `${code} is in the table of faults`);
  assert.notEqual(code, "internal", refused);
  assert.ok(message!.length > 20, `${code} says what is wrong: ${message}`);
  if (AT_A_LINE.has(code!)) assert.notEqual(line, undefined, `${code} names its line: ${message}`);
  return code!;
}
