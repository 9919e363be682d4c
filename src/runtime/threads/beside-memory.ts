/** The shared memory of a command's second thread: words, the input, and the output. */

/** Indexes of the words. */
export const WORD = { state: 0, kind: 1, length: 2 } as const;
/** Values of the state: not started yet; free; working; the output can be read; the thread has to end. */
export const STATE = { starting: 0, free: 1, busy: 2, done: 3, stopped: 4 } as const;
/** Kinds of work. */
export const KIND = { gzip: 1, gunzip: 2, checkpoint: 3 } as const;
/** Value of the length after an error. */
export const FAILED = -1;

const WORDS = 4, WORDS_BYTES = WORDS * Int32Array.BYTES_PER_ELEMENT;
/** The most bytes of input and of output: a drop's chunk is of 1 MiB, and a little larger if it does not compress. */
export const ROOM = 1024 * 1024 + 4096;

export interface BesideMemory {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

export function openMemory(shared = new SharedArrayBuffer(WORDS_BYTES + 2 * ROOM)): BesideMemory {
  return {
    shared,
    words: new Int32Array(shared, 0, WORDS),
    input: new Uint8Array(shared, WORDS_BYTES, ROOM),
    output: new Uint8Array(shared, WORDS_BYTES + ROOM, ROOM),
  };
}
