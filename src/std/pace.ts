/**
 * In which order requests begin: one at a time while many have come, of the group that was served least, and within a
 * group of each member in turn. So whoever sends thousands at once waits for themselves, and a request of anybody else
 * waits for about as long as one of theirs takes. Costs nothing while requests come one by one.
 *
 * In the memory of one process. No I/O, no clock.
 */
import { createTurns } from "./turns.ts";

export interface Pace {
  /**
   * Calls `begin` when a request of this member of this group may begin; gives what takes it out again, or undefined if
   * it was called at once.
   */
  turn(group: string, member: string, begin: () => void): (() => void) | undefined;
}

/** What begins, by member, in the order of their turns. */
type Members = Map<string, Set<() => void>>;

/**
 * `afterwards` calls back once whatever has just begun has done what it can do at once, and the event loop has seen to
 * what came in meanwhile; with how many milliseconds it took.
 */
export function createPace(afterwards: (callback: (ms: number) => void) => void): Pace {
  const turns = createTurns<string>();
  const groups = new Map<string, Members>();
  let isTaken = false;

  function take(group: string, begin: () => void): void {
    isTaken = true;
    afterwards((ms) => {
      turns.took(group, ms);
      isTaken = false;
      const [next] = turns.order([...groups.keys()], (each) => each);
      if (next === undefined) turns.forget();
      else take(next, firstOf(next));
    });
    begin();
  }

  function firstOf(group: string): () => void {
    const members = groups.get(group)!;
    const [member, queue] = members.entries().next().value!;
    const [first] = queue;
    leave(group, member, first!);
    // The others of the group come before its next.
    if (members.delete(member) && queue.size > 0) members.set(member, queue);
    return first!;
  }

  function leave(group: string, member: string, begin: () => void): void {
    const members = groups.get(group), queue = members?.get(member);
    if (!queue?.delete(begin) || queue.size > 0) return;
    members!.delete(member);
    if (members!.size === 0) groups.delete(group);
  }

  return {
    turn(group, member, begin) {
      if (!isTaken) return void take(group, begin);
      const members: Members = groups.get(group) ?? new Map();
      const queue = members.get(member) ?? new Set();
      groups.set(group, members.set(member, queue.add(begin)));
      return () => leave(group, member, begin);
    },
  };
}
