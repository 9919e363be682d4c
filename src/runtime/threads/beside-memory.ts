/** The memory through which work passes to the thread beside a command's own: WORDS words, what goes in, what comes out. */

export const STATE = 0, KIND = 1, LENGTH = 2, WORDS = 4;
/** Of the state: not there yet; free; at work; what came out may be taken; to come to an end. */
export const STARTING = 0, FREE = 1, BUSY = 2, DONE = 3, STOPPED = 4;
/** Kinds of work. */
export const GZIP = 1, GUNZIP = 2, CHECKPOINT = 3;
/** Of the length that comes out: it did not work. */
export const FAILED = -1;

/** Bytes that go in, or come out, at most: a drop's chunk is of 1 MiB, and takes a little more where it cannot be packed. */
export const ROOM = 1024 * 1024 + 4096;
export const BYTES = WORDS * 4 + 2 * ROOM;
