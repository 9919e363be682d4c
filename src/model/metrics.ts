/**
 * What one process counts of its requests since its start. Figures of runs come from the database instead
 * (store/figures.ts), which does not store requests. No I/O. No clock.
 */

export interface Metrics {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Bytes, if the runtime can tell. */
  readonly readMemory?: () => { resident: number; heap: number } | undefined;
  /** `route` is a pattern of the application, never the requested path. */
  countRequest(method: string, route: string, status: number, seconds: number): void;
  readonly requests: ReadonlyMap<string, RequestCount>;
  /** For a process with its own HTTP server. */
  readonly readConnections?: () => ConnectionFigures;
  /** Absent: no backups are scheduled. */
  readonly backups?: Readonly<BackupFigures>;
  /** An uncaught error that the process has survived. */
  countUncaught(): void;
  readonly uncaught: number;
}

/** Scheduled backups: kept up to date by what makes them. */
export interface BackupFigures {
  /** When the last complete one was begun, in milliseconds since 1970; null: there is none. */
  lastAt: number | null;
  /** How many have failed since this process started. */
  failures: number;
}

/** Why the HTTP server closes connections. `displaced`: to make room for another; `refused`: there was no room. */
export const CUT_REASONS = ["displaced", "refused", "head", "idle", "body", "bodies", "unread", "pipelined"] as const;
export type CutReason = (typeof CUT_REASONS)[number];

/** Connections of the HTTP server: open ones, their limit, and closed ones by reason. */
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
  /** How many requests took at most the bound at the same place of DURATION_BOUNDS, and more than the one before. */
  readonly buckets: number[];
  seconds: number;
}

/** Seconds. */
export const DURATION_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

export function createMetrics(
  startedAt: number,
  readMemory?: Metrics["readMemory"],
  readConnections?: Metrics["readConnections"],
  backups?: BackupFigures,
): Metrics {
  const requests = new Map<string, RequestCount>();
  let uncaught = 0;
  return {
    startedAt,
    readMemory,
    readConnections,
    backups,
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
