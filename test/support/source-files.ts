/** The files of src/ and connectors/, and the words that CONTRIBUTING retires. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Words that have plainer ones. */
export const RETIRED = /\b(said|told|whoever|stands|mend|mended|mends|fares)\b|\bhand(ed|s|ing)? in\b/gi;

export interface SourceFile {
  /** As seen from `root`. */
  readonly name: string;
  readonly text: string;
}

export function sourceFiles(root: string): SourceFile[] {
  return ["src", "connectors"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))
      .map((name) => ({ name: join(folder, name), text: readFileSync(join(root, folder, name), "utf8") }))
  );
}
