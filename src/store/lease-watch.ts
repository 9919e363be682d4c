/**
 * Decides whether a lease is over, which its holder may have stopped renewing because it died.
 *
 * A database server has one clock, which all leases there go by. A file has none: the processes that use it may have
 * different clocks, and clocks that jump. There, a lease is over once this process has seen it unchanged for its whole
 * length by its own monotonic clock. So no wrong clock ends a lease early, and a dead holder's lease ends a little later.
 */

/** What a lease is about, and how it was just read. */
export interface LeaseState {
  /** Null: nobody has it. */
  readonly owner: string | null;
  /** Moves with each claim. */
  readonly epoch: number;
  /** Moves with each renewal. */
  readonly beat: number;
  /** It has ended by the database's clock. */
  readonly isPast: boolean;
}

export interface LeaseWatch {
  /** `key` names the lease; `lengthMs` is how long it is. */
  isOver(key: string, state: LeaseState, lengthMs: number): boolean;
}

/** For a database with a clock of its own. */
export const BY_SERVER: LeaseWatch = { isOver: (_key, { isPast }) => isPast };

/** More leases than a process looks at within the length of one. A forgotten one is only watched from the beginning. */
const MAX_WATCHED = 10_000;

/** For a file. `elapsed`: milliseconds of a clock that never jumps. */
export function createLeaseWatch(elapsed: () => number = () => performance.now()): LeaseWatch {
  /** The least recently looked at first. */
  const watched = new Map<string, { readonly seen: string; readonly since: number }>();
  return {
    isOver(key, { owner, epoch, beat }, lengthMs) {
      const now = elapsed();
      const seen = JSON.stringify([owner, epoch, beat]);
      const before = watched.get(key);
      const known = before?.seen === seen ? before : { seen, since: now };
      watched.delete(key);
      if (watched.size >= MAX_WATCHED) watched.delete(watched.keys().next().value!);
      watched.set(key, known);
      return now - known.since > lengthMs;
    },
  };
}
