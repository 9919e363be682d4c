/**
 * Rows of a fetched source, from its stored records: instead of a line, which no file has, each row gets its origin. No
 * I/O.
 */
import type { RowBlock } from "../model/record.ts";
import type { OriginMark } from "../store/connections/schema-sources.ts";

/** `marks`: the record at which each origin begins, in order. */
export async function* fetchedBlocks(
  blocks: AsyncIterable<RowBlock>,
  marks: readonly OriginMark[],
): AsyncGenerator<RowBlock, void> {
  for await (const block of blocks) {
    yield {
      ...block,
      rows: (indexes) => block.rows(indexes).map((row) => ({ ...row, line: null, origin: originOf(marks, row.line!) })),
      line: () => null,
    };
  }
}

/** The origin that record `n`, counted from 1, belongs to. */
function originOf(marks: readonly OriginMark[], n: number): string | null {
  let low = 0, high = marks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (marks[middle]![0] <= n) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? null : marks[low - 1]![1];
}
