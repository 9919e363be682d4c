/** Where the Deno program is that runs connectors of others. */
import { createRequire } from "node:module";
import process from "node:process";

/** Its path: the one that runs Muster, or on Node that of the npm package `deno`. Null: there is none. */
export function findDeno(): string | null {
  if ("Deno" in globalThis) return process.execPath;
  try {
    return createRequire(import.meta.url)("deno/install_api.cjs").runInstall();
  } catch {
    return null;
  }
}
