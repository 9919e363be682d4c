/** The packages as others get them: built, packed, and installed in an empty folder from their tarballs. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startRegistry } from "./registry.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const BIN = join(ROOT, "node_modules/.bin");
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const WORKS_WITHIN_MS = 300_000;

export interface Packed {
  readonly name: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

export interface Installed {
  readonly folder: string;
  readonly packed: ReadonlyMap<string, Packed>;
  /** Writes a file into the folder, and returns its path. */
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

/** `others`: packages of the tests' own node_modules that are installed besides. */
export async function installPackages(
  names: readonly string[],
  others: readonly string[] = [],
): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), "muster-packages-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  const registry = await startRegistry();
  try {
    await run("deno", ["run", "-A", "--no-check", join(ROOT, "packages/build.ts"), ...names], ROOT);
    const folders = names.map((name) => join(ROOT, "packages", name));
    const said = await run(
      "npm",
      ["pack", "--json", "--ignore-scripts", "--pack-destination", folder, ...folders],
      folder,
    );
    const packed: (Packed & { filename: string })[] = JSON.parse(said);
    const home = join(folder, "home");
    await mkdir(home);
    await writeFile(join(folder, "package.json"), '{ "name": "stranger", "private": true, "type": "module" }');
    const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=peer", `--registry=${registry.url}`];
    const tarballs = packed.map(({ filename }) => join(folder, filename));
    await run("npm", ["install", ...flags, `--cache=${home}`, ...tarballs, ...others], folder);
    return {
      folder,
      packed: new Map(packed.map((each) => [each.name, each])),
      remove,
      async write(name, text) {
        await writeFile(join(folder, name), text);
        return join(folder, name);
      },
    };
  } catch (error) {
    await remove();
    throw error;
  } finally {
    await registry.close();
  }
}

/** Runs a program of the PATH or of node_modules, and returns what it prints. Fails with all that it printed. */
export async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, PATH: [BIN, process.env.PATH ?? ""].join(delimiter), NO_COLOR: "1" };
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd,
      env,
      timeout: WORKS_WITHIN_MS,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed: ${stdout}${stderr}`, { cause: error });
  }
}

/** Nothing that tsc can find is left out, in the packages' own declarations neither. */
const STRICTEST = {
  target: "ES2022",
  lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  types: [],
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitReturns: true,
  noImplicitOverride: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  skipLibCheck: false,
};

/** Fails with what tsc finds in a file of the folder. */
export async function checkTypes(folder: string, file: string, resolution: "nodenext" | "bundler"): Promise<void> {
  const module = resolution === "nodenext" ? "nodenext" : "esnext";
  const compilerOptions = { ...STRICTEST, module, moduleResolution: resolution };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [file] }));
  await run("node", [TSC, "-p", folder], folder);
}

/** The blocks of TypeScript in a package's README, in their order. */
export async function examplesOf(name: string): Promise<string[]> {
  const text = await readFile(join(ROOT, "packages", name, "README.md"), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);
}
