/** Reads the files of the API's viewer from its package. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ViewerFile } from "../hub.ts";

/** Reads one file, which the package's version determines. */
export async function openViewer(file: ViewerFile): Promise<BodyInit> {
  const path = fileURLToPath(import.meta.resolve(`swagger-ui-dist/${file}`));
  return new Uint8Array(await readFile(path));
}
