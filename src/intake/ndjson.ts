/**
 * NDJSON to blocks of rows: one JSON object a line. Blank lines are skipped; a record's line is its position, from 1.
 */
import type { ReadOptions, ReadReport } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import type { RowBlock } from "../model/record.ts";
import type { ByteSource } from "./encoding.ts";
import { nameRecord } from "./keyring.ts";
import { countRecords, isSpace, readRecords, takeRecord } from "./records.ts";
import type { Window } from "./window.ts";

/** Yields at least one block: an input without records is one block without columns and rows. */
export function readNdjson(
  stream: ByteSource,
  options: ReadOptions,
  report: ReadReport,
): AsyncGenerator<RowBlock, void> {
  /** Whether the current line has a record already. */
  let taken = false;
  return readRecords(stream, options, true, (window, records) => {
    let used = 0;
    while (used < window.length) {
      const byte = window.bytes[used]!;
      if (byte === 0x0a || byte === 0x0d) taken = false;
      if (isSpace(byte)) {
        used++;
        continue;
      }
      if (taken) throw sharedLine(countRecords(records), window.offset + used);
      const end = takeRecord(records, window, used);
      if (end < 0 && window.last) throw brokenOff(window, used, countRecords(records) + 1);
      if (end < 0) break;
      taken = true;
      used = end;
    }
    report.endsWithLineEnd = !taken;
    return used;
  });
}

function sharedLine(record: number, at: number): Fault {
  return new Fault(
    "json_invalid",
    `Record ${record} shares its line with what is at byte ${at}, but should be alone on it`,
    { line: record },
  );
}

function brokenOff({ offset, length }: Window, start: number, record: number): Fault {
  return new Fault(
    "input_incomplete",
    `The input ends at byte ${offset + length}, inside ${nameRecord({ record, start, offset })}: send the whole file`,
    { line: record },
  );
}
