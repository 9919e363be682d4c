/**
 * What one process counts of its requests, since its start. All that is worth knowing of runs is in the database instead
 * (store/figures.ts): a request leaves no trace there, a run does. No I/O. No clock.
 */

export interface Metrics {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Bytes, where the runtime tells. */
  readonly readMemory?: () => { resident: number; heap: number } | undefined;
  /** `route` is a pattern of the application's, never what was asked for. */
  countRequest(method: string, route: string, status: number, seconds: number): void;
  readonly requests: ReadonlyMap<string, RequestCount>;
  /** Where the process has connections of its own. */
  readonly readConnections?: () => ConnectionFigures;
  /** An error that nobody caught, which the process has survived. */
  countUncaught(): void;
  readonly uncaught: number;
}

/** Why the HTTP server cuts connections. `displaced`: for another one; `refused`: it came when no place could be made. */
export const CUT_REASONS = ["displaced", "refused", "head", "idle", "body", "bodies", "unread", "pipelined"] as const;
export type CutReason = (typeof CUT_REASONS)[number];

/** Of the HTTP server: connections that there are, that there may be, and that were cut, by why. */
export interface ConnectionFigures {
  readonly open: number;
  readonly max: number;
  readonly cut: ReadonlyMap<CutReason, number>;
}

export interface RequestCount {
  readonly method: string;
  readonly route: string;
  /** Status → how many. */
  readonly statuses: Map<number, number>;
  /** How many took at most as long as the bound at the same place of DURATION_BOUNDS, and no less than the one before. */
  readonly buckets: number[];
  seconds: number;
}

/** Seconds. */
export const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

export function createMetrics(
  startedAt: number,
  readMemory?: Metrics["readMemory"],
  readConnections?: Metrics["readConnections"],
): Metrics {
  const requests = new Map<string, RequestCount>();
  let uncaught = 0;
  return {
    startedAt,
    readMemory,
    readConnections,
    requests,
    get uncaught() {
      return uncaught;
    },
    countUncaught() {
      uncaught++;
    },
    countRequest(method, route, status, seconds) {
      const key = `${method} ${route}`;
      let count = requests.get(key);
      if (count === undefined) {
        count = { method, route, statuses: new Map(), buckets: DURATION_BOUNDS.map(() => 0).concat(0), seconds: 0 };
        requests.set(key, count);
      }
      count.statuses.set(status, (count.statuses.get(status) ?? 0) + 1);
      const place = DURATION_BOUNDS.findIndex((bound) => seconds <= bound);
      count.buckets[place < 0 ? DURATION_BOUNDS.length : place]! += 1;
      count.seconds += Math.max(0, seconds);
    },
  };
}
