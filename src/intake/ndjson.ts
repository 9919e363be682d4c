/**
 * NDJSON to blocks of rows: one JSON object a line. Blank lines are skipped; a record's line is its position, from 1.
 *
 * Objects are cut out as bytes; only those that somebody asks for are parsed. No clock; no I/O but the stream handed in.
 */
import type { ReadOptions, ReadReport } from "./reading.ts";
import { Fault } from "../model/errors.ts";
import type { RowBlock } from "../model/record.ts";
import { createElementBlock } from "./elements.ts";
import { openText } from "./encoding.ts";
import type { ByteSource } from "./encoding.ts";
import { notAnObject, refuseLong } from "./json.ts";
import { createKeyring, nameRecord } from "./keyring.ts";
import type { Place } from "./keyring.ts";
import { createWindows } from "./window.ts";

/** Yields the records; at least one block, so that an input without any is one of no columns and no rows. */
export async function* readNdjson(
  stream: ByteSource,
  options: ReadOptions,
  report: ReadReport,
): AsyncGenerator<RowBlock, void> {
  const text = await openText(stream, options);
  const windows = createWindows(text.chunks, text.offset);
  const keys = createKeyring(options.maxColumns);
  let read = 0;
  /** A record stands on the line at hand already. */
  let taken = false;
  try {
    for (let window = await windows.next(0);;) {
      const starts: number[] = [];
      const ends: number[] = [];
      const { bytes, length, offset, last } = window;
      let used = 0;
      while (used < length) {
        const byte = bytes[used]!;
        if (byte === 0x0a || byte === 0x0d) taken = false;
        if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
          used++;
          continue;
        }
        if (taken) {
          const line = read + starts.length;
          throw new Fault(
            "json_invalid",
            `Record ${line} shares its line with what is at byte ${offset + used}, but should be alone on it`,
            { line },
          );
        }
        const place: Place = { record: read + starts.length + 1, start: used, offset };
        if (byte !== 0x7b) throw notAnObject(place, window);
        const end = keys.walk(bytes, length, place, true);
        refuseLong(place, end < 0 ? length : end, options.maxRowBytes);
        if (end < 0) {
          if (!last) break;
          throw new Fault(
            "input_incomplete",
            `The input ends at byte ${offset + length}, inside ${nameRecord(place)}: send the whole file`,
            { line: place.record },
          );
        }
        starts.push(used);
        ends.push(end);
        taken = true;
        used = end;
      }
      report.endsWithLineEnd = !taken;
      if (starts.length > 0 || (last && read === 0)) {
        yield createElementBlock([...keys.columns], { bytes, offset, first: read + 1, starts, ends });
        read += starts.length;
      }
      if (last) return;
      window = await windows.next(used);
    }
  } finally {
    await windows.close();
  }
}
