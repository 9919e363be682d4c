/** How long a server may take, and how much of it is looked at. Values alone; tests hand in smaller ones. */

export interface Limits {
  /** From the first look at the name to a TCP connection. */
  readonly connectMs: number;
  /** From there to the end of the log-in. */
  readonly logInMs: number;
  /** What a server may send until then, banners and all. */
  readonly logInBytes: number;
  /** What it may send beside its answers, and with each of them; new keys that it may ask for beside one for each 16 KiB. */
  readonly unaskedBytes: number;
  readonly answerBytes: number;
  readonly rekeys: number;
  /** For each answer of the server. */
  readonly answerMs: number;
  /** For all of a listing. */
  readonly listMs: number;
  /** For all of a file, beside what its size gives by `slowestBytesPerSecond`. */
  readonly transferMs: number;
  readonly slowestBytesPerSecond: number;
  /** Names in a folder, of whatever kind: a listing with more is broken off. */
  readonly maxNames: number;
  /** Of a folder's files that may be meant, the oldest so many are looked at. */
  readonly maxFiles: number;
  readonly maxBytes: number;
}

export const LIMITS: Limits = {
  connectMs: 15_000,
  logInMs: 20_000,
  logInBytes: 256 * 1024,
  unaskedBytes: 4 * 1024 ** 2,
  answerBytes: 320 * 1024,
  rekeys: 50,
  answerMs: 30_000,
  listMs: 180_000,
  transferMs: 600_000,
  slowestBytesPerSecond: 64 * 1024,
  maxNames: 250_000,
  maxFiles: 10_000,
  maxBytes: 1024 ** 3,
};
