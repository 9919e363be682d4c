/** Opens a hosted tree: makes its folders, removes what a process left half made when it ended, and counts the rest. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { trimCopies } from "./copies.ts";
import { createTree, recount, type Tree, type TreeOptions } from "./tree.ts";

export async function openTree(options: TreeOptions): Promise<Tree> {
  const tree = createTree(options);
  const { making } = tree.folders;
  for (const folder of Object.values(tree.folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  // A file that was being made when the process ended is made again by its maker.
  for (const name of await readdir(making)) await rm(join(making, name), { force: true });
  await recount(tree);
  await trimCopies(tree, "", 0);
  return tree;
}
