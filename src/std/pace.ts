/**
 * Lets requests begin in a fair order. While many are waiting, they begin one at a time: from the group that was served
 * least and, within it, from each member in turn. So a client that sends thousands of requests at once delays mostly its
 * own; others wait about as long as one of those takes. While requests come one by one, this costs nothing.
 *
 * In the memory of one process. No I/O, no clock.
 */
import { createTurns } from "./turns.ts";

export interface Pace {
  /**
   * Calls `begin` when a request of this member of this group may begin. Returns a function that removes it from the queue,
   * or undefined if `begin` was called at once.
   */
  turn(group: string, member: string, begin: () => void): (() => void) | undefined;
}

/** Waiting requests by member, in the order of their turns. */
type Members = Map<string, Set<() => void>>;

/**
 * `afterwards` calls back when the request that has just begun waits for something and the event loop has handled what
 * arrived in the meantime. It passes the milliseconds that the request took.
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
    // The member's next request comes after the group's other members.
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
