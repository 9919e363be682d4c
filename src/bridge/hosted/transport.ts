/** What the bridge itself does in a hosted tree: writes reports, moves files to `failed`, removes old copies. */
import type { Transport } from "../contract.ts";
import { moveCopy, putCopy } from "./copies.ts";
import { listFiles, removeFile, type Tree } from "./tree.ts";
import { type FileSpot, lookUp } from "./view.ts";

export function createTransport(tree: Tree, folder: () => string): Transport {
  function fileAt(path: string): FileSpot {
    const spot = lookUp(folder(), path);
    if (spot.is === "file") return spot;
    throw Object.assign(new Error("There is no such place in a hosted tree"), { code: "ENOENT" });
  }

  return {
    async list(path) {
      const spot = lookUp(folder(), path);
      return spot.is === "folder" && spot.shelf !== null ? await listFiles(tree, spot.shelf) : [];
    },
    async write(path, content) {
      const { shelf, name } = fileAt(path);
      if (shelf === "drops") throw new Error("Reports are not written to the folder that files are dropped in");
      await putCopy(tree, shelf, name, content);
    },
    rename: async (from, to) => await moveCopy(tree, fileAt(from), fileAt(to)),
    async remove(path) {
      const { shelf, name } = fileAt(path);
      await removeFile(tree, shelf, name);
    },
    close: () => Promise.resolve(),
  };
}
