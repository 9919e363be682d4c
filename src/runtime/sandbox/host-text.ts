/**
 * The program of children, as one JavaScript file: Deno then has nothing to translate and no other file to look for, which
 * is half of a child's start.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { buildFiles } from "./esbuild.ts";

let kept: Promise<string> | null = null;

/** Its text, made once in a process. A build of Muster has it as `host.js` beside its own file. */
export function hostText(): Promise<string> {
  kept ??= readFile(new URL("./host.js", import.meta.url), "utf8").catch(() => build());
  // After an error the next child tries again.
  kept.catch(() => kept = null);
  return kept;
}

async function build(): Promise<string> {
  const entry = fileURLToPath(new URL("./host/host.ts", import.meta.url));
  const files = await buildFiles({ entryPoints: [entry], target: "es2023", platform: "neutral", minifySyntax: true });
  return files[0]!.text;
}
