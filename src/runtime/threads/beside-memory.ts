/** The shared memory of a command's second thread: WORDS words, the input, and the output. */

export const STATE = 0, KIND = 1, LENGTH = 2, WORDS = 4;
/** Values of STATE: not started yet; free; working; the output can be read; the thread has to end. */
export const STARTING = 0, FREE = 1, BUSY = 2, DONE = 3, STOPPED = 4;
/** Kinds of work. */
export const GZIP = 1, GUNZIP = 2, CHECKPOINT = 3;
/** Value of LENGTH after an error. */
export const FAILED = -1;

/** The most bytes of input and of output: a drop's chunk is of 1 MiB, and a little larger if it does not compress. */
export const ROOM = 1024 * 1024 + 4096;
export const BYTES = WORDS * 4 + 2 * ROOM;
