/**
 * Records of a drop that the thread beside cuts and digests, a few slots ahead of whoever reads them. One reading at a
 * time; what it cannot do, whoever reads does without it.
 */
/// <reference lib="es2024.sharedmemory" />
import type { CutElsewhere, CutFrom, Cuts, Stretches } from "../intake/cut.ts";
import type { Salt } from "../record.ts";
import {
  type BesideMemory,
  CLOSED,
  CONSUMED,
  COUNT,
  CUT,
  DELIMITER,
  DIGESTED,
  EPOCH,
  FREE,
  GOING,
  LAST,
  LINE,
  MAX_ROW_BYTES,
  NEXT_LINE,
  PRODUCED,
  READING,
  SALT,
  SALTED,
  SLOT_SALT,
  SLOTS,
  STATE,
  USED,
} from "./beside-memory.ts";
import { changed } from "./gate.ts";

/** The thread, as a reading needs it; null once it is gone. */
export interface Beside {
  memory(): BesideMemory | null;
  hand(kind: typeof CUT): void;
}

export function createCutting(beside: Beside): (dropId: number) => CutElsewhere {
  let isReading = false;
  return (dropId) => ({
    open(from) {
      if (isReading) return null;
      isReading = true;
      return openStretches(beside, dropId, from, () => isReading = false);
    },
  });
}

function openStretches(beside: Beside, dropId: number, from: CutFrom, closed: () => void): Stretches {
  let begun = false;
  /** Slots that have been given out. */
  let given = 0;

  /** Waits until the thread may be told of this reading; false when it is gone. */
  async function begin(): Promise<boolean> {
    for (;;) {
      const memory = beside.memory();
      if (memory === null) return false;
      const { words, numbers } = memory;
      const state = Atomics.load(words, STATE);
      if (state !== FREE) {
        await changed(words, STATE, state);
        continue;
      }
      numbers[0] = dropId;
      numbers[1] = from.offset;
      words[LINE] = from.line;
      words[DELIMITER] = from.delimiter;
      words[MAX_ROW_BYTES] = from.maxRowBytes;
      words[PRODUCED] = words[CONSUMED] = words[SALTED] = 0;
      words[READING] = GOING;
      words[EPOCH] = words[EPOCH]! + 1;
      return begun = true;
    }
  }

  /** Sends the thread on to fill what is free. */
  function poke({ words }: BesideMemory): void {
    if (Atomics.load(words, READING) !== GOING || Atomics.load(words, STATE) !== FREE) return;
    if (Atomics.load(words, PRODUCED) < Atomics.load(words, CONSUMED) + SLOTS) beside.hand(CUT);
  }

  function wants(salt: Salt): void {
    const words = beside.memory()?.words;
    if (words === undefined || words[SALTED] !== 0) return;
    for (let word = 0; word < 4; word++) words[SALT + word] = salt[word]!;
    Atomics.store(words, SALTED, 1);
  }

  return {
    async next() {
      if (!begun && !await begin()) return null;
      for (;;) {
        const memory = beside.memory();
        if (memory === null) return null;
        const { words } = memory;
        // The last one that was given out is still read from.
        Atomics.store(words, CONSUMED, Math.max(0, given - 1));
        const isOver = Atomics.load(words, READING) !== GOING;
        if (Atomics.load(words, PRODUCED) > given) {
          poke(memory);
          return { ...stretchOf(memory, given++ % SLOTS), wants };
        }
        if (isOver) return null;
        poke(memory);
        await changed(words, PRODUCED, given);
      }
    },
    close: closed,
  };
}

function stretchOf({ slots, offsets }: BesideMemory, index: number) {
  const { words, starts, ends, lines, digests, bytes } = slots[index]!;
  const cuts: Cuts = { count: words[COUNT]!, starts, ends, lines, used: words[USED]!, closed: words[CLOSED] === 1 };
  return {
    bytes,
    offset: offsets[index]!,
    cuts,
    last: words[LAST] === 1,
    nextLine: words[NEXT_LINE]!,
    digests: words[DIGESTED] === 1 ? { salt: words.slice(SLOT_SALT, SLOT_SALT + 4), words: digests } : null,
  };
}
