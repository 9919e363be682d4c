/**
 * The program of children, as one JavaScript file: Deno then has nothing to translate and no other file to look for, which
 * takes a part of a child's start away.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { ownFile } from "../own-files.ts";
import { buildFiles } from "./esbuild.ts";

let kept: Promise<string> | null = null;

/** Its text, made once in a process, or as a build has it. */
export function hostText(): Promise<string> {
  const file = fileURLToPath(ownFile("src/runtime/sandbox/host/host.ts"));
  kept ??= file.endsWith(".js") ? readFile(file, "utf8") : build(file);
  // After an error the next child tries again.
  kept.catch(() => kept = null);
  return kept;
}

async function build(file: string): Promise<string> {
  const { outputFiles } = await buildFiles({
    entryPoints: [file],
    target: "es2023",
    platform: "neutral",
    minifySyntax: true,
  });
  return outputFiles[0]!.text;
}
