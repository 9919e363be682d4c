/**
 * The shared memory of the staging thread: how many pages were sent, how many are staged, and whether the thread has to
 * stop; then a ring of ROOM page ids.
 */
export const SENT = 0, STAGED = 1, STOPPED = 2, IDS = 3;
/** Pages that may wait to be staged. */
export const ROOM = 4096;
export const BYTES = IDS * Int32Array.BYTES_PER_ELEMENT + ROOM * Float64Array.BYTES_PER_ELEMENT + 4;

/** The counts, and the ring of ids behind them. */
export function openMemory(memory: SharedArrayBuffer): { words: Int32Array; ids: Float64Array } {
  const words = new Int32Array(memory, 0, IDS);
  // A Float64Array has to begin at a multiple of eight bytes.
  return { words, ids: new Float64Array(memory, (IDS + 1) * Int32Array.BYTES_PER_ELEMENT, ROOM) };
}
