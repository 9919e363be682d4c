/** Cuts a stream of bytes into lines of UTF-8, each at most so long. */
import { concatBytes } from "../../std/typed-arrays.ts";

/** Fails with a RangeError at a longer line, before it is held in memory. */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [], size = 0;
  for await (const chunk of bytes) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const last = chunk.subarray(from, end);
      yield decoder.decode(parts.length === 0 ? last : concatBytes(...parts, last));
      parts = [];
      size = 0;
      from = end + 1;
    }
    if (from === chunk.length) continue;
    const rest = chunk.subarray(from);
    size += rest.length;
    if (size > maxBytes) throw new RangeError(`A line is longer than ${maxBytes} bytes`);
    // The chunk's buffer may be used again.
    parts.push(rest.slice());
  }
}
