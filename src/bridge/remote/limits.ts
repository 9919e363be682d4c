/** How long a remote server may take, and how much it may send. Tests set smaller values. */
import { MAX_FILE_BYTES } from "../../model/limits.ts";

export const LIMITS = {
  /** From the name look-up to the TCP connection. */
  connectMs: 15_000,
  /** From there to the end of the log-in. */
  logInMs: 20_000,
  /** What a server may send until then, banners included. */
  logInBytes: 256 * 1024,
  /** What it may send afterwards, in all and beside that for each answer. */
  unaskedBytes: 4 * 1024 ** 2,
  answerBytes: 320 * 1024,
  /** Key exchanges, beside one for every 16 KiB transferred. */
  rekeys: 50,
  /** For each answer. */
  answerMs: 30_000,
  /** For a whole listing. */
  listMs: 180_000,
  /** For a whole file, beside the time that its size gives at the slowest speed. */
  transferMs: 600_000,
  slowestBytesPerSecond: 64 * 1024,
  /** Names in a folder, of any kind: a longer listing is broken off. */
  maxNames: 250_000,
  /** Files of a folder that are looked at, of those that may be taken. */
  maxFiles: 10_000,
  maxBytes: MAX_FILE_BYTES,
};

export type Limits = Readonly<Record<keyof typeof LIMITS, number>>;
