/**
 * The folders beside the drop folder, written by the bridge itself: copies of files that were taken, reports, and failed
 * files. The oldest of them are removed when they take too much room together.
 */
import { constants, lstat, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { filesIn, findFile, PARTIAL, syncFolder, WHOLE, writeAt } from "./files.ts";
import { refusalOf } from "./refusal.ts";
import { makePlace } from "./service-folders.ts";
import { pathOf, recount, type Tree, unlinkFile } from "./tree.ts";
import { PLACES, type Shelf } from "./view.ts";

const { O_CREAT, O_EXCL, O_RDWR } = constants;

/** Writes a file as a whole or not at all, in place of one of that name. */
export async function putCopy(
  tree: Tree,
  shelf: Exclude<Shelf, "drops">,
  name: string,
  content: ReadableStream<Uint8Array>,
): Promise<void> {
  const making = join(tree.folders.making, crypto.randomUUID());
  const target = pathOf(tree, shelf, name);
  try {
    const bytes = await writeDraft(tree, making, content);
    await tree.inTurn(async () => {
      await makePlace(tree, shelf);
      await rename(making, target);
      await syncFolder(tree.folders[shelf]);
      await trimCopies(tree, target, bytes);
    });
  } catch (error) {
    await rm(making, { force: true });
    throw refusalOf(error);
  }
}

/** Resolves with the number of bytes, once they are on disk. */
async function writeDraft(tree: Tree, path: string, content: ReadableStream<Uint8Array>): Promise<number> {
  const handle = await tree.openFile(path, O_RDWR | O_CREAT | O_EXCL, PARTIAL);
  let bytes = 0;
  try {
    for await (const chunk of content as unknown as AsyncIterable<Uint8Array>) {
      await writeAt(handle, chunk, bytes);
      bytes += chunk.length;
    }
    await handle.chmod(WHOLE);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return bytes;
}

/** Moves a file from one folder to another. Rejects with the code "ENOENT" where there is no such file. */
export function moveCopy(
  tree: Tree,
  from: { shelf: Shelf; name: string },
  to: { shelf: Shelf; name: string },
): Promise<void> {
  return tree.inTurn(async () => {
    const source = pathOf(tree, from.shelf, from.name), target = pathOf(tree, to.shelf, to.name);
    await lstat(source);
    await makePlace(tree, to.shelf);
    await rename(source, target);
    await syncFolder(tree.folders[to.shelf]);
    if (from.shelf === "drops" || to.shelf === "drops") await recount(tree);
    if (from.shelf === "drops") await trimCopies(tree, target, (await findFile(target))?.size ?? 0);
  });
}

/** Counts one more copy and removes the oldest when there is too much, but never `latest`. To be called in turn. */
export async function trimCopies(tree: Tree, latest: string, bytes: number): Promise<void> {
  const { limits, folders } = tree;
  const isTooMuch = (copies: Tree["copies"], share = 1) =>
    copies.bytes > limits.keptBytes * share || copies.files > limits.keptFiles * share;
  tree.copies = { bytes: tree.copies.bytes + bytes, files: tree.copies.files + 1 };
  if (!isTooMuch(tree.copies)) return;
  const all = (await Promise.all(PLACES.map((place) => filesIn(folders[place])))).flat();
  tree.copies = { bytes: all.reduce((sum, { stats }) => sum + stats.size, 0), files: all.length };
  if (!isTooMuch(tree.copies)) return;
  all.sort((a, b) => a.stats.ctimeMs - b.stats.ctimeMs);
  // A little more than needed is removed, so that this is not due again at once.
  for (const { path, stats } of all) {
    if (!isTooMuch(tree.copies, 0.9)) break;
    if (path === latest) continue;
    await unlinkFile(tree, path, stats);
    tree.copies = { bytes: tree.copies.bytes - stats.size, files: tree.copies.files - 1 };
  }
  if (tree.copies.files < all.length) tree.trimmed(all.length - tree.copies.files);
}
