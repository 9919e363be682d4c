/**
 * Collecting garbage before a database is closed.
 *
 * libSQL frees its native statements and connections in finalizers. When those of many statements are left to the end
 * of the process, they now and then touch what is no longer there, and a green run of tests ends with a crash (139).
 * Seen in about one of three runs of a long test file on Deno, and in none that collected before closing.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Frees what is out of reach now rather than later. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
