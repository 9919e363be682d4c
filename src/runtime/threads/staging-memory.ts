/**
 * The memory through which pages pass to the thread that stages them, by their ids: how many were handed over, how many
 * of them are staged, whether nothing comes any more; then ROOM ids, filled in turn.
 */

export const HANDED = 0, STAGED = 1, STOPPED = 2, IDS = 3;
/** Pages that may wait. */
export const ROOM = 4096;
export const BYTES = IDS * Int32Array.BYTES_PER_ELEMENT + ROOM * Float64Array.BYTES_PER_ELEMENT + 4;

/** The counts, and the ids behind them. */
export function openMemory(memory: SharedArrayBuffer): { words: Int32Array; ids: Float64Array } {
  const words = new Int32Array(memory, 0, IDS);
  // Eight bytes each begin at a multiple of eight.
  return { words, ids: new Float64Array(memory, (IDS + 1) * Int32Array.BYTES_PER_ELEMENT, ROOM) };
}
