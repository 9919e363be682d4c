/** Faults for bytes that are not text in the encoding that the file should have. No I/O. */
import { Fault } from "../model/errors.ts";
import { likelyReadings } from "./likely-readings.ts";

/** Where invalid bytes are. */
export interface InvalidPlace {
  readonly offset: number;
  /** The physical line, or a record's position in JSON; null: not known. */
  readonly line: number | null;
  /** Whether the message names the line: a record's position is none. */
  readonly isPhysical: boolean;
  readonly cause?: unknown;
}

/**
 * `cell`: the bytes of the cell with the invalid `byte`. The message shows how the cell reads in the encodings that it may
 * have. Which one is right, only a person sees.
 */
export function invalidBytes(byte: number, cell: Uint8Array, charset: string, place: InvalidPlace): Fault {
  const { line, offset, cause } = place;
  const where = `at offset ${offset}${place.isPhysical && line !== null ? `, on line ${line},` : ""}`;
  const readings = likelyReadings(cell);
  const shown = readings === null ? "" : `: its cell would read ${readings}`;
  return new Fault(
    "encoding_invalid",
    `Byte 0x${hexOf(byte)} ${where} is not ${charset === "utf-8" ? "UTF-8" : charset}${shown}. ` +
      `Save the file as "CSV UTF-8", or set the connection's charset to the encoding of the file`,
    { line, cause },
  );
}

function hexOf(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, "0");
}

/**
 * A NUL byte means a binary file, or UTF-16 without a byte order mark. `bytes` are filled up to `to`, and begin at
 * `offset` of the input.
 */
export function nulFault(bytes: Uint8Array, at: number, to: number, offset: number, line: number | null): Fault {
  const wide = (at + 2 < to && bytes[at + 2] === 0) ||
    (at >= 2 && bytes[at - 2] === 0);
  // Of UTF-16, the half without letters is the second byte of each pair, or in big-endian text the first.
  const isFirst = (offset + at) % 2 === 0;
  const what = wide ? "it looks like UTF-16 without a byte order mark" : "it looks like a binary file";
  const charset = wide ? `, or set the connection's charset to "utf-16${isFirst ? "be" : "le"}"` : "";
  return new Fault(
    "encoding_invalid",
    `Byte 0x00 at offset ${offset + at} is not text, ${what}: save the file as "CSV UTF-8"${charset}`,
    { line },
  );
}
