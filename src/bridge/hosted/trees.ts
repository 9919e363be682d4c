/**
 * The folders of all trees: whose each is, and what becomes of one whose connection is gone.
 *
 * It is set aside and removed 30 days later: a hub that was set up anew from an old backup does not know connections
 * that were there for all that, and knows them again once it has the right one; then the tree comes back by itself. A
 * number that such a hub gives to another customer opens nothing of the one who had it before.
 */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { decodeId } from "../../model/id.ts";
import type { SetAside } from "../contract.ts";
import { keptAt, keptName } from "../places.ts";
import { DAY_MS } from "../../std/time.ts";

const ASIDE = "aside";
/** In a tree's folder: whose it is. */
const OWNER = "owner";
export const ASIDE_MS = 30 * DAY_MS;

/** Ids of connections that have a tree here. */
export async function listTrees(dir: string): Promise<string[]> {
  const all = await readdir(dir, { withFileTypes: true });
  return all.filter((entry) => entry.isDirectory() && decodeId("con", entry.name) !== null).map(({ name }) => name);
}

/**
 * Sees to it that the connection's tree is its own: another's is set aside, and its own that was set aside is put back.
 * To be called before the tree is opened. `moved`: what was done, for the log.
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
  await writeOwner(tree, owner);
  return moved;
}

export async function setAside(dir: string, id: string, now: number): Promise<void> {
  await mkdir(join(dir, ASIDE), { recursive: true, mode: 0o700 });
  await rename(join(dir, id), join(dir, ASIDE, keptName(id, now)));
}

/** Removes what was set aside long ago; gives how many trees that were. */
export async function removeLongAside(dir: string, now: number): Promise<number> {
  const long = (await namesAside(dir)).filter((name) => now - keptAt(name)! >= ASIDE_MS);
  for (const name of long) await rm(join(dir, ASIDE, name), { recursive: true, force: true });
  return long.length;
}

/** The oldest first. */
export async function listAside(dir: string): Promise<SetAside[]> {
  return await Promise.all(
    (await namesAside(dir)).sort().map(async (name) => ({
      connection: idOf(name),
      since: keptAt(name)!,
      // What customers have dropped, and was not handed over: where it lies is tree.ts's.
      files: (await filesIn(join(dir, ASIDE, name, "drops"))) + (await filesIn(join(dir, ASIDE, name, "aside"))),
    })),
  );
}

/** The tree's folder, if it is one of that organization's; else null. */
export async function findTreeOf(dir: string, id: string, organization: string): Promise<string | null> {
  const tree = join(dir, id);
  const owner = await ownerOf(tree);
  // A tree of before owners were written down is whose the id is.
  return owner === "" || owner?.startsWith(`${organization} `) === true ? tree : null;
}

/** Removes what was set aside of that connection of that organization: nobody can take it any more. */
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

function idOf(name: string): string {
  return name.slice(name.indexOf("-") + 1);
}

async function filesIn(folder: string): Promise<number> {
  return (await readdir(folder, { withFileTypes: true }).catch(ifMissing([]))).filter((entry) => entry.isFile()).length;
}

/** Empty: there is a tree, and nobody has written down whose; null: there is none. */
async function ownerOf(tree: string): Promise<string | null> {
  const owner = await readFile(join(tree, OWNER), "utf8").catch(ifMissing(null));
  if (owner !== null) return owner;
  return await readdir(tree).catch(ifMissing(null)) === null ? null : "";
}

/** As a whole or not at all: half a name would be another's. */
async function writeOwner(tree: string, owner: string): Promise<void> {
  const part = join(tree, `${OWNER}.part`);
  const handle = await open(part, "w", 0o600);
  try {
    await handle.writeFile(owner);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, join(tree, OWNER));
}

function ifMissing<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if ((error as { code?: string }).code === "ENOENT") return instead;
    throw error;
  };
}
