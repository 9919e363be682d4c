/**
 * The memory through which pages pass to the thread that stages them: SLOTS times WORDS words, then as many bodies. The
 * slots are filled and emptied in turn.
 */

/** Where each word of a slot is. */
export const STATE = 0, LENGTH = 1, PAGE = 2, WORDS = 3;
/** Of a slot's state: to be filled; to be emptied; nothing comes any more. */
export const FREE = 0, FULL = 1, STOPPED = 2;

/** One is taken apart while the next is filled. */
export const SLOTS = 2;
/** Bytes of a page at most; those of a plan have fewer. */
export const BODY = 1_600_000;
export const BYTES = SLOTS * (WORDS * 4 + BODY);
