/** Waits, without blocking the thread, while another connection locks a database's file. */
import { retry } from "../std/retry.ts";
import { isBusy } from "../store/trouble.ts";

/** How long to wait for another process that migrates the tables, or recovers the file after a crash. */
const MAX_WAIT_MS = 60_000;
export const PAUSE_MS = 20;

export function whenFree<T>(action: () => T | Promise<T>): Promise<T> {
  return retry(action, (error, failures) => isBusy(error) && failures * PAUSE_MS <= MAX_WAIT_MS ? PAUSE_MS : null);
}
