/** Where the Deno program is that runs connectors of others. */
import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Its path: the one that runs Muster; on Node that of the npm package `deno`, or one on the PATH. Null: there is none. */
export function findDeno(): string | null {
  if ("Deno" in globalThis) return process.execPath;
  try {
    return createRequire(import.meta.url)("deno/install_api.cjs").runInstall();
  } catch {
    return onPath("deno");
  }
}

function onPath(name: string): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
