/** Several full inputs that come together: parts of one. Each is planned and applied by itself, the oldest first. */
import type { Column } from "./state.ts";

/** What the parts before one have shown. */
export interface Before {
  /** Keys that could be read. */
  readonly keys: ReadonlySet<string>;
  /** Keys of rows that were refused. */
  readonly refused: ReadonlySet<string>;
  /** People by id: whom a row names, and of whom a row was used. */
  readonly seen: ReadonlySet<number>;
  readonly used: ReadonlySet<number>;
  /** By key, the columns that have a value; in `shown` without managers who were not set. */
  readonly filled: ReadonlyMap<string, ReadonlySet<Column>>;
  readonly shown: ReadonlyMap<string, ReadonlySet<Column>>;
  readonly leaving: ReadonlySet<string>;
  readonly managerLeft: ReadonlySet<string>;
  /** Whether each of them was applied, and all of its keys could be read. */
  readonly isWhole: boolean;
}

export interface Part {
  readonly before: Before;
  readonly isLast: boolean;
  /** Whether somebody has to say first that the parts are one full input. */
  readonly asks: boolean;
}

const NOBODY: ReadonlySet<never> = new Set();

export const NOTHING_BEFORE: Before = {
  keys: NOBODY,
  refused: NOBODY,
  seen: NOBODY,
  used: NOBODY,
  filled: new Map(),
  shown: new Map(),
  leaving: NOBODY,
  managerLeft: NOBODY,
  isWhole: true,
};

/** An input that is a full one by itself, or none. */
export const ALONE: Part = { before: NOTHING_BEFORE, isLast: true, asks: false };

export function union<T>(a: ReadonlySet<T>, b: Iterable<T>): ReadonlySet<T> {
  return new Set([...a, ...b]);
}
