/** Loads an author's connector from a file or folder, in a child, as a hub does. */
import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Installed } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import { loadModule } from "../../runtime/third-party.ts";

export interface Loaded {
  readonly connector: Installed;
  /** The folder that it is in. */
  readonly folder: string;
}

/** `place`: as it was typed, relative to `base`. Fails with a Fault that has all problems. */
export async function loadFrom(place: string, base: string): Promise<Loaded> {
  const { entry, folder } = findEntry(place, base);
  const found = await loadModule(pathToFileURL(entry).href, base);
  if (typeof found === "string") throw new Fault("unprocessable", `Cannot use the connector ${place}: ${found}`);
  return { connector: found.installed, folder };
}

/** The module in a folder: what its package.json names, or connector.ts. */
function findEntry(place: string, base: string): { entry: string; folder: string } {
  const path = resolve(fileURLToPath(base), place);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) throw new Fault("not_found", `There is no file or folder ${place}`);
  if (!found.isDirectory()) return { entry: path, folder: dirname(path) };
  const names = [mainOf(join(path, "package.json")), "connector.ts", "connector.js"].filter((name) => name !== null);
  for (const name of names) {
    if (statSync(join(path, name), { throwIfNoEntry: false })?.isFile()) {
      return { entry: join(path, name), folder: path };
    }
  }
  throw new Fault("not_found", `There is no connector in ${place}: it should have a file connector.ts`);
}

/** Null: it names none. */
function mainOf(manifest: string): string | null {
  if (statSync(manifest, { throwIfNoEntry: false }) === undefined) return null;
  try {
    const { exports, main } = JSON.parse(readFileSync(manifest, "utf8"));
    const named = typeof exports === "string" ? exports : exports?.["."] ?? main;
    return typeof named === "string" ? named : null;
  } catch (cause) {
    throw new Fault("unprocessable", `${manifest} cannot be read as JSON`, { cause });
  }
}
