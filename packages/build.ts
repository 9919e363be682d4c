/**
 * Builds the packages for connectors and clients of others: one module of JavaScript for each entry, its types, and what it
 * reads while it runs. Run by `npm run packages`; writes `dist/` of each package, which is not in git.
 */
import { build } from "esbuild";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import openapi, { astToString } from "openapi-typescript";
import { documentOfAll } from "../test/support/checked.ts";
import { createDeclarations, type Declarations } from "./declarations.ts";

interface Package {
  /** Modules in the package's folder, which are the package's entries. */
  readonly entries: readonly string[];
  /** `neutral`: runs anywhere. `node`: on Node and Deno. */
  readonly platform: "neutral" | "node";
  /** Files and folders that the code finds with `ownFile`. A program in TypeScript becomes one of JavaScript. */
  readonly files?: readonly string[];
}

const PACKAGES: Readonly<Record<string, Package>> = {
  connector: { entries: ["index.ts", "settings.ts"], platform: "neutral" },
  client: { entries: ["index.ts"], platform: "neutral" },
  testing: {
    entries: ["index.ts"],
    platform: "node",
    files: ["src/runtime/sandbox/host/host.ts", "migrations"],
  },
};

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const folderOf = (name: string) => join(ROOT, "packages", name);

/** For packages in CommonJS that are bundled, and call `require` of Node's own modules. */
const REQUIRE = 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

async function buildPackage(name: string, is: Package, declarations: Declarations): Promise<void> {
  const folder = folderOf(name), dist = join(folder, "dist");
  const needs = await dependenciesOf(folder);
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  for (const entry of is.entries) await bundle(join(folder, entry), join(dist, toJs(entry)), is.platform, needs);
  for (const file of is.files ?? []) await addFile(file, dist);
  if (is.platform === "node") await addVersion(dist);
  await cp(join(ROOT, "LICENSE"), join(dist, "LICENSE"));
  const types = declarations.of(folder, is.entries, needs);
  for (const [path, text] of types) {
    await mkdir(dirname(join(dist, path)), { recursive: true });
    await writeFile(join(dist, path), text);
  }
}

/** Names of the packages that are installed beside it. All others become part of it. */
async function dependenciesOf(folder: string): Promise<string[]> {
  const { dependencies = {}, peerDependencies = {} } = await readJson(join(folder, "package.json"));
  return Object.keys({ ...dependencies, ...peerDependencies });
}

async function bundle(from: string, to: string, platform: Package["platform"], needs: readonly string[]) {
  await build({
    entryPoints: [from],
    outfile: to,
    bundle: true,
    format: "esm",
    target: "es2023",
    platform,
    mainFields: ["module", "main"],
    external: ["node:*", ...needs],
    legalComments: "eof",
    logLevel: "warning",
    ...(platform === "node" ? { banner: { js: REQUIRE } } : {}),
  });
}

async function addFile(path: string, dist: string): Promise<void> {
  const from = join(ROOT, path), to = join(dist, toJs(path));
  if (path.endsWith(".ts")) return await bundle(from, to, "neutral", []);
  await mkdir(dirname(to), { recursive: true });
  // What drizzle compares the next migration with is several times as large as the migrations.
  await cp(from, to, { recursive: true, filter: (source) => !source.endsWith("_snapshot.json") });
}

/** The types of the API, as its document has them. */
async function generateApi(): Promise<void> {
  const folder = join(folderOf("client"), "generated");
  await mkdir(folder, { recursive: true });
  // The document's own types are wider than those of the generator.
  const document = documentOfAll() as unknown as Parameters<typeof openapi>[0];
  await writeFile(join(folder, "api.ts"), astToString(await openapi(document, { silent: true })));
}

/** The hub's version, where the code looks for it. */
async function addVersion(dist: string): Promise<void> {
  const { version, type } = await readJson(join(ROOT, "package.json"));
  await writeFile(join(dist, "package.json"), `${JSON.stringify({ version, type, private: true })}\n`);
}

// deno-lint-ignore no-explicit-any
const readJson = async (path: string): Promise<any> => JSON.parse(await readFile(path, "utf8"));
const toJs = (path: string) => path.replace(/\.ts$/, ".js");

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in PACKAGES));
if (unknown.length > 0) {
  throw new Error(`There is no package "${unknown[0]}": they are ${Object.keys(PACKAGES).join(", ")}`);
}
const chosen = Object.entries(PACKAGES).filter(([name]) => named.length === 0 || named.includes(name));
const entries = chosen.flatMap(([name, { entries }]) => entries.map((entry) => join(folderOf(name), entry)));
if (chosen.some(([name]) => name === "client")) await generateApi();
const declarations = createDeclarations(ROOT, entries);
for (const [name, is] of chosen) await buildPackage(name, is, declarations);
process.exit(0);
