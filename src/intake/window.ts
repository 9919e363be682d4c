/**
 * A window that moves over an input's bytes: the bytes that a cutter has not used yet, followed by the next ones.
 *
 * Chunks of any size in, buffers of about 256 KiB out, larger only while one record does not fit. Two buffers are
 * filled in turn, so a window is valid until the next but one is requested. Memory does not grow with the input.
 */

const TARGET_BYTES = 256 * 1024;
const NOTHING = new Uint8Array(0);

export interface Window {
  /** Only `[0, length)` is filled. */
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Where `bytes[0]` is in the input. */
  readonly offset: number;
  /** Whether the input ends with it. */
  readonly last: boolean;
}

export interface Windows {
  /** The next window, which begins `used` bytes into the last one. It is larger when none were used. */
  next(used: number): Promise<Window>;
  /** Releases the input, whether it was read to its end or not. */
  close(): Promise<void>;
}

/** `offset`: where the first chunk begins in the input as received. */
export function createWindows(chunks: AsyncIterable<Uint8Array>, offset: number): Windows {
  const iterator = chunks[Symbol.asyncIterator]();
  let window: Window = { bytes: NOTHING, length: 0, offset, last: false };
  /** The buffer of the window before this one, to be reused. */
  let spare: Uint8Array = NOTHING;
  let pending: Uint8Array = NOTHING;
  let ended = false;
  return {
    async next(used) {
      const rest = window.bytes.subarray(used, window.length);
      const size = Math.max(TARGET_BYTES, 2 * rest.length);
      const bytes = spare.length === size ? spare : new Uint8Array(size);
      bytes.set(rest);
      let length = rest.length;
      while (length < bytes.length) {
        if (pending.length === 0) {
          const chunk = ended ? { done: true as const, value: undefined } : await iterator.next();
          if (chunk.done) {
            ended = true;
            break;
          }
          pending = chunk.value;
          continue;
        }
        const part = pending.subarray(0, bytes.length - length);
        bytes.set(part, length);
        length += part.length;
        pending = pending.subarray(part.length);
      }
      spare = window.bytes;
      window = { bytes, length, offset: window.offset + used, last: ended && pending.length === 0 };
      return window;
    },
    async close() {
      if (!ended) await iterator.return?.();
      ended = true;
    },
  };
}
