/**
 * The end mark of old systems, Ctrl-Z (0x1A), at the end of a text: it becomes a line end, as it says that the text is whole.
 * Anywhere else it is text. Chunks may be cut anywhere. No I/O but the chunks.
 */
import { concatBytes } from "../std/typed-arrays.ts";

const MARK = 0x1a, LF = 0x0a, CR = 0x0d;
/** More marks than this are no end of a text. */
const MAX_HELD_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);

export async function* withoutEndMark(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  /** A mark, and nothing but marks and line ends behind it: it is the end, or it is text after all. */
  let held: Uint8Array = NOTHING;
  for await (const chunk of chunks) {
    const bytes = held.length === 0 ? chunk : concatBytes(held, chunk);
    const mark = markAtEnd(bytes);
    const from = bytes.length - mark > MAX_HELD_BYTES ? bytes.length : mark;
    held = bytes.slice(from);
    if (from > 0) yield bytes.subarray(0, from);
  }
  if (held.length > 0) yield Uint8Array.of(LF);
}

/** Where the first mark is of those at the end, after which there are line ends at most; the length if there is none. */
function markAtEnd(bytes: Uint8Array): number {
  let first = bytes.length;
  for (let i = bytes.length - 1; i >= 0; i--) {
    const byte = bytes[i];
    if (byte === MARK) first = i;
    else if (byte !== LF && byte !== CR) break;
  }
  return first;
}
