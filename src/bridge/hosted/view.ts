/**
 * What a customer sees: a root, the drop folder, and `.bak`, `reports` and `failed` beside it, while they have files.
 *
 * There are no other folders. Each is one folder on disk, and the only part of a client's path that reaches the disk is the
 * name of a file in one of them, so path traversal is impossible. Pure.
 */
import type { Place } from "../places.ts";

/** Which folder on disk: that of dropped files, or one of the places beside it. */
export type Shelf = "drops" | Place;

export const PLACES: readonly Place[] = [".bak", "reports", "failed"];

/** Most bytes in the name of a dropped file: it gets a time in front when it is put away, and disks hold 255 bytes. */
export const MAX_NAME_BYTES = 200;
const MOST_BYTES = 255;
/** Most characters in a path: more than systems take. */
export const MAX_PATH = 8192;

export type Spot =
  /** `shelf`: where its files are; null: it only contains another folder. */
  | { readonly is: "folder"; readonly path: string; readonly shelf: Shelf | null }
  | { readonly is: "file"; readonly path: string; readonly shelf: Shelf; readonly name: string }
  /** `why`: what is wrong with the name, for people; null: there is no such folder. */
  | { readonly is: "nothing"; readonly path: string; readonly why: string | null };

export type FileSpot = Extract<Spot, { is: "file" }>;

/** The path from the root without `.`, `..` and empty parts; nothing is above the root. */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** What the client's path means in a tree whose drop folder is `folder`. */
export function lookUp(folder: string, asked: string): Spot {
  if (asked.length > MAX_PATH) return { is: "nothing", path: "/", why: null };
  const path = normalize(asked);
  const drops = normalize(folder);
  const place = PLACES.find((place) => path === `/${place}`);
  if (place !== undefined) return { is: "folder", path, shelf: place };
  if (path === drops) return { is: "folder", path, shelf: "drops" };
  if (path === "/" || drops.startsWith(`${path}/`)) return { is: "folder", path, shelf: null };
  const cut = path.lastIndexOf("/");
  const parent = path.slice(0, cut) || "/", name = path.slice(cut + 1);
  const shelf = parent === drops ? "drops" : PLACES.find((place) => parent === `/${place}`) ?? null;
  if (shelf === null) return { is: "nothing", path, why: null };
  const why = wrongWith(name, shelf === "drops" ? MAX_NAME_BYTES : MOST_BYTES);
  return why === null ? { is: "file", path, shelf, name } : { is: "nothing", path, why };
}

/** Names of the folders within `path`. `places`: those beside the drop folder that are listed. */
export function foldersIn(folder: string, path: string, places: readonly Place[]): string[] {
  const within = path === "/" ? "/" : `${path}/`;
  const all = [normalize(folder), ...places.map((place) => `/${place}`)];
  const names = all.filter((each) => each !== "/" && each.startsWith(within))
    .map((each) => each.slice(within.length).split("/")[0]!);
  return [...new Set(names)];
}

/** Null: nothing. Control characters, lone surrogates and `\` cause trouble wherever such a name is read. */
function wrongWith(name: string, most: number): string | null {
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\ufffd\\]/u.test(name)) {
    return "The name has control characters, a backslash or bytes that are not UTF-8; it should have none";
  }
  const bytes = new TextEncoder().encode(name).length;
  return bytes <= most ? null : `The name has ${bytes} bytes; it should have at most ${most}`;
}
