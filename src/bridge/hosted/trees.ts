/**
 * The folders of all trees: who owns each, and what becomes of one whose connection is gone.
 *
 * Such a tree is set aside and removed 30 days later. A hub that was restored from an old backup does not know connections
 * that exist all the same, and knows them again once it has the right backup; then the tree is put back by itself. If such
 * a hub gives an id to another customer, that id opens nothing of its earlier owner.
 */
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeId } from "../../model/id.ts";
import { DAY_MS } from "../../std/time.ts";
import type { SetAside } from "../contract.ts";
import { ifMissing, writeSynced } from "../disk.ts";
import { keptAt, keptName } from "../places.ts";
import { foldersOf } from "./files.ts";

const ASIDE = "aside";
/** A file in a tree's folder that names its owner. */
const OWNER = "owner";
export const ASIDE_MS = 30 * DAY_MS;

/** Ids of connections that have a tree here. */
export async function listTrees(dir: string): Promise<string[]> {
  const all = await readdir(dir, { withFileTypes: true });
  return all.filter((entry) => entry.isDirectory() && decodeId("con", entry.name) !== null).map(({ name }) => name);
}

/**
 * Makes sure that the connection's tree is its own: another owner's is set aside, and its own that was set aside is put
 * back. To be called before the tree is opened. Resolves with what was done, for the log.
 */
export async function claimTree(
  dir: string,
  id: string,
  owner: string,
  now: number,
): Promise<"set_aside" | "put_back" | null> {
  let moved: "set_aside" | "put_back" | null = null;
  const tree = join(dir, id);
  const known = await ownerOf(tree);
  if (known === owner) return null;
  if (known !== null && known !== "") {
    await setAside(dir, id, now);
    moved = "set_aside";
  }
  if (known === null || moved !== null) {
    for (const name of (await namesAside(dir)).filter((name) => idOf(name) === id).sort().reverse()) {
      if (await ownerOf(join(dir, ASIDE, name)) !== owner) continue;
      await rename(join(dir, ASIDE, name), tree);
      return "put_back";
    }
  }
  await mkdir(tree, { recursive: true, mode: 0o700 });
  // Written as a whole or not at all: half a name would be another owner's.
  const part = join(tree, `${OWNER}.part`);
  await writeSynced(part, owner, "w");
  await rename(part, join(tree, OWNER));
  return moved;
}

export async function setAside(dir: string, id: string, now: number): Promise<void> {
  await mkdir(join(dir, ASIDE), { recursive: true, mode: 0o700 });
  await rename(join(dir, id), join(dir, ASIDE, keptName(id, now)));
}

/** Removes trees that were set aside 30 days ago; resolves with their number. */
export async function removeLongAside(dir: string, now: number): Promise<number> {
  const long = (await namesAside(dir)).filter((name) => now - keptAt(name)! >= ASIDE_MS);
  for (const name of long) await rm(join(dir, ASIDE, name), { recursive: true, force: true });
  return long.length;
}

/** The oldest first. */
export async function listAside(dir: string): Promise<SetAside[]> {
  return await Promise.all(
    (await namesAside(dir)).sort().map(async (name) => {
      const { drops, aside } = foldersOf(join(dir, ASIDE, name));
      return { connection: idOf(name), since: keptAt(name)!, files: await countFiles(drops) + await countFiles(aside) };
    }),
  );
}

/** The tree's folder, if it belongs to that organization; else null. */
export async function findTreeOf(dir: string, id: string, organization: string): Promise<string | null> {
  const tree = join(dir, id);
  const owner = await ownerOf(tree);
  // A tree from before owners were written down belongs to whom its id belongs to.
  return owner === "" || owner?.startsWith(`${organization} `) === true ? tree : null;
}

/** Removes what was set aside of that connection of that organization, for good. */
export async function removeAsideOf(dir: string, id: string, organization: string): Promise<void> {
  for (const name of (await namesAside(dir)).filter((name) => idOf(name) === id)) {
    const tree = join(dir, ASIDE, name);
    if ((await ownerOf(tree))?.startsWith(`${organization} `)) await rm(tree, { recursive: true, force: true });
  }
}

async function namesAside(dir: string): Promise<string[]> {
  const all = await readdir(join(dir, ASIDE)).catch(ifMissing([]));
  return all.filter((name) => keptAt(name) !== null && decodeId("con", idOf(name)) !== null);
}

async function countFiles(folder: string): Promise<number> {
  return (await readdir(folder, { withFileTypes: true }).catch(ifMissing([]))).filter((entry) => entry.isFile()).length;
}

function idOf(name: string): string {
  return name.slice(name.indexOf("-") + 1);
}

/** Empty: the tree exists, and its owner was not written down; null: there is no tree. */
async function ownerOf(tree: string): Promise<string | null> {
  const owner = await readFile(join(tree, OWNER), "utf8").catch(ifMissing(null));
  if (owner !== null) return owner;
  return await readdir(tree).catch(ifMissing(null)) === null ? null : "";
}
