/**
 * UTF-8 bytes to text, or a Fault that names the byte. No I/O. No clock.
 */
import { Fault } from "../model/errors.ts";
import { cellAround } from "./cells.ts";
import { invalidBytes } from "./invalid-bytes.ts";

const QUOTE = 0x22;

const fatal = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes `bytes[start, end)`; `bytes[0]` is at `offset` of the input. `tail`: the input ends there, so half a
 * character means a broken upload and not another encoding. `delimiter`: the byte that separates cells; null: the bytes are
 * of JSON, where texts are between quotes, and `line` is a record's position.
 */
export function decodeUtf8(
  bytes: Uint8Array,
  start: number,
  end: number,
  offset: number,
  tail: boolean,
  line: number | null,
  delimiter: number | null = null,
): string {
  try {
    return fatal.decode(bytes.subarray(start, end));
  } catch (cause) {
    const at = firstInvalid(bytes, start, end);
    if (tail && at.cut) {
      throw new Fault("input_incomplete", `The input ends inside a character, at offset ${offset + end}`, {
        cause,
        line,
      });
    }
    const cell = cellAround(bytes, start, end, at.index, delimiter ?? QUOTE);
    throw invalidBytes(bytes[at.index]!, cell, "utf-8", {
      offset: offset + at.index,
      line,
      isPhysical: delimiter !== null,
      cause,
    });
  }
}

/**
 * The first byte that does not continue valid UTF-8 (The Unicode Standard, table 3-7). `cut`: the bytes are valid, but
 * end inside a character.
 */
function firstInvalid(bytes: Uint8Array, start: number, end: number): { index: number; cut: boolean } {
  for (let i = start; i < end;) {
    const lead = bytes[i]!;
    const size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size === 0) return { index: i, cut: false };
    for (let n = 1; n < size; n++) {
      if (i + n >= end) return { index: i, cut: true };
      const byte = bytes[i + n]!;
      const low = n > 1 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
      const high = n > 1 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
      if (byte < low || byte > high) return { index: i, cut: false };
    }
    i += size;
  }
  return { index: start, cut: false };
}
