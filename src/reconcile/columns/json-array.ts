/**
 * A JSON array in the making, as UTF-8 in one buffer: strings that wait until a page is full would survive the young
 * generation by the million, and each garbage collection would visit them again. No I/O.
 */

export interface JsonArray {
  /** Whether the buffer has room for this entry; the first always fits. */
  fits(text: string): boolean;
  /** Adds an entry, itself JSON. */
  add(text: string): void;
  /** The whole array, valid until the next `add`, which begins a new one. */
  end(): Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();
const OPEN = "[".charCodeAt(0), CLOSE = "]".charCodeAt(0);
/** UTF-8 of a UTF-16 unit takes three bytes at most. */
const MAX_UNIT_BYTES = 3;
/** Entries are encoded together up to this length: a call for each would cost more than its bytes. */
const TOGETHER = 16 * 1024;

export function createJsonArray(maxBytes: number): JsonArray {
  let bytes = new Uint8Array(Math.min(maxBytes, 64 * 1024));
  let used = 0;
  let waiting = "";

  function write(): void {
    const room = used + waiting.length * MAX_UNIT_BYTES + 1;
    if (room > bytes.length) {
      const larger = new Uint8Array(Math.max(bytes.length * 2, room));
      larger.set(bytes.subarray(0, used));
      bytes = larger;
    }
    used += encoder.encodeInto(waiting, bytes.subarray(used)).written;
    waiting = "";
  }

  return {
    fits: (text) => used === 0 || used + (waiting.length + text.length + 2) * MAX_UNIT_BYTES <= maxBytes,
    add(text) {
      if (used === 0) bytes[used++] = OPEN;
      else waiting += ",";
      waiting += text;
      if (waiting.length > TOGETHER) write();
    },
    end() {
      write();
      bytes[used++] = CLOSE;
      const all = bytes.subarray(0, used);
      used = 0;
      return all;
    },
  };
}

/** JSON of any value, as UTF-8. */
export function toJson(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(value));
}
