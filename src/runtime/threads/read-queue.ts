/** Reads that wait for the reader's thread: first in, first out within an organization, and organizations take turns. */
import { Fault } from "../../model/errors.ts";
import type { Asker, HeavyRead } from "../../store/people/heavy-reads.ts";

export interface Job {
  readonly name: HeavyRead;
  readonly args: readonly unknown[];
  readonly asker: Asker;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

export interface ReadQueue {
  /** Fails with `rate_limited` or `unavailable` when too many are waiting. */
  add(job: Job): void;
  /** The next job; undefined: none is waiting. */
  take(): Job | undefined;
  /** Removes a job that is still waiting. */
  remove(job: Job): void;
  readonly size: number;
}

const RETRY_AFTER_S = 2;

export function createReadQueue(maxOfOne: number, max: number): ReadQueue {
  /** By organization; the one whose turn it is comes first. */
  const queues = new Map<number, Job[]>();
  let size = 0;
  return {
    add(job) {
      const { turn } = job.asker;
      const queue = queues.get(turn) ?? [];
      if (queue.length >= maxOfOne) {
        const message = `${queue.length} searches of this organization are waiting already`;
        throw new Fault("rate_limited", message, { retryAfterS: RETRY_AFTER_S });
      }
      if (size >= max) throw unavailable(`${size} searches are waiting already`);
      queue.push(job);
      queues.set(turn, queue);
      size++;
    },
    take() {
      const [turn, queue] = queues.entries().next().value ?? [];
      if (turn === undefined || queue === undefined) return undefined;
      queues.delete(turn);
      if (queue.length > 1) queues.set(turn, queue);
      size--;
      return queue.shift();
    },
    remove(job) {
      const { turn } = job.asker;
      const queue = queues.get(turn);
      const place = queue?.indexOf(job) ?? -1;
      if (place < 0) return;
      queue!.splice(place, 1);
      if (queue!.length === 0) queues.delete(turn);
      size--;
    },
    get size() {
      return size;
    },
  };
}

/** For a read that could succeed if it is tried again. */
export function unavailable(message: string): Fault {
  return new Fault("unavailable", message, { retryAfterS: RETRY_AFTER_S });
}
