/**
 * Makes one module of a connector and all that it imports, so that a child has nothing to load. Nothing of the connector
 * runs here.
 */
import { createHash } from "node:crypto";
import { isBuiltin } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import { Fault } from "../../model/errors.ts";
import { buildFiles } from "./esbuild.ts";

export interface Bundle {
  readonly code: string;
  /** SHA-256 of the code, in hexadecimal. */
  readonly digest: string;
  /** Where each place of the code comes from, as a source map (ECMA-426) in JSON. */
  readonly map: string;
}

export interface MadeOf {
  /** The files that it was made of, relative to the folder. */
  readonly inputs: readonly string[];
}

/** No connector needs more. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * `entry`: path of a module, or the name of a package that `folder` has installed. `onFile`: called with the path of each
 * file that is read, and that a relative import names, also where that is missing. Fails with `unprocessable`, with each
 * problem in a line.
 */
export async function bundleConnector(
  entry: string,
  folder: string,
  onFile?: (path: string) => void,
): Promise<Bundle & MadeOf> {
  try {
    const { outputFiles, metafile } = await buildFiles({
      stdin: {
        // A module without a default export is refused in words later.
        contents: `import * as all from ${JSON.stringify(entry)}; export default all.default;`,
        resolveDir: folder,
        sourcefile: "muster",
      },
      // Paths in comments of the code are relative to it, so that the same code has the same digest anywhere.
      absWorkingDir: folder,
      outfile: "connector.js",
      target: "es2023",
      platform: "neutral",
      mainFields: ["module", "main"],
      conditions: ["deno", "import"],
      plugins: [...(onFile === undefined ? [] : [noting(onFile)]), FILE_URLS, NODE_MODULES],
      define: { "process.env.NODE_ENV": '"production"' },
      sourcemap: "external",
      sourcesContent: false,
      minifySyntax: true,
      treeShaking: true,
    });
    const code = textOf(outputFiles, ".js"), map = textOf(outputFiles, ".map");
    if (code.length > MAX_BYTES) {
      throw new Fault("unprocessable", `it has more than ${MAX_BYTES / 2 ** 20} MiB of code`);
    }
    const inputs = Object.keys(metafile.inputs).filter((path) => path !== "muster");
    return { code, map, inputs, digest: createHash("sha256").update(code).digest("hex") };
  } catch (error) {
    throw error instanceof Fault ? error : new Fault("unprocessable", problemsOf(error), { cause: error });
  }
}

function noting(onFile: (path: string) => void): Plugin {
  return {
    name: "noting",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\.?\/./ }, ({ path, resolveDir }) => {
        for (const ending of ["", ".ts", ".js"]) onFile(resolve(resolveDir, `${path}${ending}`));
        return null;
      });
      onLoad({ filter: /./, namespace: "file" }, ({ path }) => void onFile(path));
    },
  };
}

/** Lets modules be named by `file:` URLs, as Deno and Node do. */
const FILE_URLS: Plugin = {
  name: "file-urls",
  setup: ({ onResolve }) => void onResolve({ filter: /^file:/ }, ({ path }) => ({ path: fileURLToPath(path) })),
};

/**
 * Node's own modules, with `node:` before their names or without, are Deno's, which refuses what a child may not do. As in
 * Node, they come before packages of the same name.
 */
const NODE_MODULES: Plugin = {
  name: "node-modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(node:)?process$/ }, () => ({ path: "process", namespace: "of-the-child" }));
    onLoad({ filter: /^process$/, namespace: "of-the-child" }, () => ({ contents: PROCESS }));
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^[a-z]/ }, ({ path }) => isBuiltin(path) ? { path: `node:${path}`, external: true } : null);
  },
};

/** Deno's own refuses to be asked for an environment; the host has one that is empty. */
const PROCESS = `const { process } = globalThis;
export const { argv, cwd, emitWarning, env, nextTick, off, on, once, platform, version, versions } = process;
export default process;`;

function textOf(files: readonly { readonly path: string; readonly text: string }[], ending: string): string {
  return files.find(({ path }) => path.endsWith(ending))!.text;
}

interface Problem {
  readonly text: string;
  readonly location: { readonly file: string; readonly line: number } | null;
}

function problemsOf(error: unknown): string {
  const { errors } = error as { readonly errors?: readonly Problem[] };
  if (errors === undefined || errors.length === 0) return error instanceof Error ? error.message : String(error);
  const lines = errors.slice(0, 10).map(({ text, location }) =>
    location === null || location.file === "muster" ? text : `${text} (${location.file}:${location.line})`
  );
  return lines.join("\n");
}
