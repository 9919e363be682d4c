/**
 * The folders beside the drop folder: `.bak`, `reports` and `failed`. Each is there from when it is first needed, or a
 * client makes it, until a client removes it. All changes are to be made in turn.
 */
import { lstat, mkdir, rmdir } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf, ifMissing } from "../disk.ts";
import type { Place } from "../places.ts";
import { durably } from "./files.ts";
import { Refusal } from "./refusal.ts";
import type { Tree } from "./tree.ts";
import { PLACES, type Shelf } from "./view.ts";

export function isPlace(shelf: Shelf | null): shelf is Place {
  return shelf !== null && shelf !== "drops";
}

export async function hasPlace({ folders }: Tree, place: Place): Promise<boolean> {
  return (await lstat(folders[place]).catch(ifMissing(null)))?.isDirectory() ?? false;
}

export async function listPlaces(tree: Tree): Promise<Place[]> {
  const found = await Promise.all(PLACES.map((place) => hasPlace(tree, place)));
  return PLACES.filter((_, i) => found[i]);
}

/** Makes the folder if it is missing; it is on disk when this resolves. */
export async function makePlace(tree: Tree, shelf: Shelf): Promise<void> {
  if (!isPlace(shelf) || await hasPlace(tree, shelf)) return;
  const path = tree.folders[shelf];
  await durably(dirname(path), () => mkdir(path, { recursive: true, mode: 0o700 }));
}

/** Refuses a folder that has files. */
export async function removePlace({ folders }: Tree, place: Place): Promise<void> {
  try {
    await durably(dirname(folders[place]), () => rmdir(folders[place]));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    if (!["ENOTEMPTY", "EEXIST"].includes(codeOf(error) ?? "")) throw error;
    throw new Refusal("failed", "The folder has files; remove them first");
  }
}
