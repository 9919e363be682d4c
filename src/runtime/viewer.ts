/** The files of the API's viewer, from where the package manager put them. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ViewerFile } from "../hub.ts";

/** Reads one of the viewer's files as it is in the package. */
export async function openViewer(file: ViewerFile): Promise<BodyInit> {
  const path = fileURLToPath(import.meta.resolve(`swagger-ui-dist/${file}`));
  return new Uint8Array(await readFile(path));
}
