/** What a connector's own code says: the names and values that its source's answers may keep, as they are no secret. */
import { join, resolve } from "node:path";
import { buildFiles } from "../../runtime/sandbox/esbuild.ts";

export interface Words {
  /** Names of things, such as `workEmail`: of variables, of properties, and texts. */
  readonly names: ReadonlySet<string>;
  /** Whole texts, such as `terminated`. */
  readonly texts: ReadonlySet<string>;
  /** Whole numbers, in digits. */
  readonly numbers: ReadonlySet<string>;
}

/**
 * Of the files that a connector is made of, but for packages and comments. `files`: their paths, relative to `folder`. Fails
 * with esbuild's own error.
 */
export async function wordsOf(files: readonly string[], folder: string): Promise<Words> {
  const own = files.filter((file) => !/(^|[/\\])node_modules[/\\]/.test(file) && !file.includes(":"));
  const { outputFiles } = await buildFiles({
    entryPoints: own.map((file) => resolve(folder, file)),
    outdir: join(folder, "words"),
    target: "es2023",
    platform: "neutral",
    packages: "external",
    legalComments: "none",
    charset: "utf8",
  });
  return wordsIn(outputFiles.map(({ text }) => text).join("\n"));
}

/** `code`: JavaScript, as esbuild writes it: one statement a line, and a comment only in a line of its own. */
export function wordsIn(code: string): Words {
  const text = code.replace(/^\s*\/\/.*$/gm, "");
  const texts = new Set([...text.matchAll(/"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'/g)].map(textOf));
  const names = [...text.matchAll(/[\p{L}_$][\p{L}\p{N}_$]*/gu)].map(([name]) => name);
  const numbers = [...text.matchAll(/(?<![\w.$])\d+(?![\w.$])/g)].map(([number]) => number);
  return { names: new Set([...names, ...texts]), texts, numbers: new Set(numbers) };
}

function textOf([, double, single = ""]: RegExpMatchArray): string {
  const raw = double ?? single.replaceAll("\\'", "'").replaceAll('"', '\\"');
  try {
    return JSON.parse(`"${raw}"`);
  } catch {
    return raw;
  }
}
