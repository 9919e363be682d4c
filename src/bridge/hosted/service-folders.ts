/**
 * The folders beside the drop folder: `.bak`, `reports` and `failed`. On disk they are always there, and by their names they
 * open at any time, so that programs can look for a report before there is one. They are listed while they have files.
 */
import { lstat, mkdir, opendir } from "node:fs/promises";
import { dirname } from "node:path";
import { ifMissing, isOutOfFiles } from "../disk.ts";
import type { Place } from "../places.ts";
import { durably } from "./files.ts";
import type { Tree } from "./tree.ts";
import { PLACES, type Shelf } from "./view.ts";

/** Whether there are files in it, as far as this can be looked up. */
export async function isInUse({ folders }: Tree, place: Place): Promise<boolean> {
  try {
    // Leaving the loop closes the folder.
    for await (const entry of await opendir(folders[place])) if (entry.isFile()) return true;
    return false;
  } catch (error) {
    if (isOutOfFiles(error)) return true;
    return ifMissing(false)(error);
  }
}

export async function listPlaces(tree: Tree): Promise<Place[]> {
  const inUse = await Promise.all(PLACES.map((place) => isInUse(tree, place)));
  return PLACES.filter((_, i) => inUse[i]);
}

/** Makes the folder again if an operator has removed it; it is on disk when this resolves. */
export async function makePlace({ folders }: Tree, shelf: Shelf): Promise<void> {
  const path = folders[shelf];
  if (await lstat(path).catch(ifMissing(null)) !== null) return;
  await durably(dirname(path), () => mkdir(path, { recursive: true, mode: 0o700 }));
}
