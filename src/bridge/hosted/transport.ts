/** What the bridge itself does in a hosted tree: reports that come back, what goes to `failed`, what is kept no longer. */
import type { Transport } from "../contract.ts";
import type { Tree } from "./tree.ts";
import { lookUp, type Spot } from "./view.ts";

export function createTransport(tree: Tree, folder: () => string): Transport {
  function fileAt(path: string): Extract<Spot, { is: "file" }> {
    const spot = lookUp(folder(), path);
    if (spot.is === "file") return spot;
    throw Object.assign(new Error("There is no such place in a hosted tree"), { code: "ENOENT" });
  }

  return {
    async list(path) {
      const spot = lookUp(folder(), path);
      return spot.is === "folder" && spot.shelf !== null ? await tree.list(spot.shelf) : [];
    },
    async write(path, content) {
      const { shelf, name } = fileAt(path);
      if (shelf === "drops") throw new Error("Nothing is written where files are dropped");
      await tree.put(shelf, name, content);
    },
    rename: async (from, to) => await tree.move(fileAt(from), fileAt(to)),
    async remove(path) {
      const { shelf, name } = fileAt(path);
      await tree.remove(shelf, name);
    },
    close: () => Promise.resolve(),
  };
}
