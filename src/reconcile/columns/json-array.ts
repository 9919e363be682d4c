/**
 * A JSON array in the making, as UTF-8 in one buffer: strings that wait until a page is full would survive the young
 * generation by the million, and each garbage collection would visit them again. No I/O.
 */
import { createJsonBytes, MAX_UNIT_BYTES, writeByte, writeText } from "./json-bytes.ts";

export interface JsonArray {
  /** Whether the buffer has room for this entry; the first always fits. */
  fits(text: string): boolean;
  /** Adds an entry, itself JSON. */
  add(text: string): void;
  /** The whole array, valid until the next `add`, which begins a new one. */
  end(): Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();
const OPEN = 0x5b, CLOSE = 0x5d;
/** Entries are encoded together up to this length: a call for each would cost more than its bytes. */
const TOGETHER = 16 * 1024;

export function createJsonArray(maxBytes: number): JsonArray {
  const json = createJsonBytes();
  let waiting = "";

  function write(): void {
    writeText(json, waiting);
    waiting = "";
  }

  return {
    fits: (text) => json.used === 0 || json.used + (waiting.length + text.length + 2) * MAX_UNIT_BYTES <= maxBytes,
    add(text) {
      if (json.used === 0) writeByte(json, OPEN);
      else waiting += ",";
      waiting += text;
      if (waiting.length > TOGETHER) write();
    },
    end() {
      write();
      writeByte(json, CLOSE);
      const all = json.bytes.subarray(0, json.used);
      json.used = 0;
      return all;
    },
  };
}

/** JSON of any value, as UTF-8. */
export function toJson(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(value));
}
