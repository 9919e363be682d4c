/**
 * What is named as a connector: a module file, a folder, and, by an operator who adds it, what `npm pack` makes of a package,
 * or one that is installed where the command runs. Nothing is fetched, and no script of a package runs.
 */
import { mkdtemp, readFile, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { Fault } from "../../model/errors.ts";
import { isObject } from "../../std/is-object.ts";
import { unpackPackage } from "./unpack.ts";

/** Of a packed package. */
const MAX_PACKED_BYTES = 20 * 1024 * 1024;

export interface ConnectorSource {
  /** As bundleConnector takes them. */
  readonly entry: string;
  readonly folder: string;
  /** For operators: `name@version` of the package, or the file's name. */
  readonly from: string;
  /** Name of the package; null: it is a file. */
  readonly packageName: string | null;
  /** What may help where it cannot be bundled; null: nothing is known. */
  readonly help: string | null;
  /** Why it may not be made of these files, whose paths are relative to `folder`; null: it may. */
  whyNot(inputs: readonly string[]): string | null;
}

/** `base`: path that relative ones begin at, and where packages are searched from. Fails in words. */
export async function withSource<T>(
  given: string,
  base: string,
  work: (source: ConnectorSource) => Promise<T>,
): Promise<T> {
  if (/^[a-z]+:\/\//i.test(given)) {
    throw new Fault("unprocessable", "Muster fetches nothing: download the package, and add the file");
  }
  const path = resolve(base, given);
  const facts = await stat(path).catch(() => null);
  if (facts === null) return await work(await ofInstalled(given, base));
  if (facts.isDirectory() || !/\.(tgz|tar\.gz)$/.test(path)) return await work(await sourceAt(path));
  if (facts.size > MAX_PACKED_BYTES) {
    throw new Fault("unprocessable", `The package ${given} has more than ${MAX_PACKED_BYTES / 2 ** 20} MiB`);
  }
  const folder = await realpath(await mkdtemp(join(tmpdir(), "muster-add-")));
  try {
    await unpackPackage(await readFile(path), folder);
    return await work(
      await ofFolder(
        folder,
        "A packed package has to bring all that it imports: bundle it first, " +
          "or add the folder in which its dependencies are installed",
      ),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A module file, or a folder: that of a package, or one with connector.ts. Fails with `not_found` where there is none. */
export async function sourceAt(path: string): Promise<ConnectorSource> {
  const facts = await stat(path).catch(() => null);
  if (facts === null) throw new Fault("not_found", `There is no file or folder ${path}`);
  if (!facts.isDirectory()) return await ofFile(path);
  return await isPackage(path) ? await ofFolder(path, null) : await ofPlainFolder(path);
}

/** A file is the operator's own, and may import what it likes. */
async function ofFile(path: string): Promise<ConnectorSource> {
  const real = await realpath(path);
  return {
    entry: real,
    folder: dirname(real),
    from: basename(real),
    packageName: null,
    help: null,
    whyNot: () => null,
  };
}

/** A package. `help`: what to say where a file is missing. */
async function ofFolder(path: string, help: string | null): Promise<ConnectorSource> {
  const folder = await realpath(path);
  const { name, version, exports, main } = await readPackage(folder);
  // Its own name leads through its `exports`, as for others that import it.
  const named = exports !== undefined ? name : main !== undefined ? "./" : null;
  return {
    entry: named ?? await moduleIn(folder) ?? "./",
    folder,
    from: `${name}@${version}`,
    packageName: name,
    help,
    whyNot: (inputs) => outsideOf(folder, inputs),
  };
}

async function ofPlainFolder(path: string): Promise<ConnectorSource> {
  const folder = await realpath(path), entry = await moduleIn(folder);
  if (entry === null) {
    throw new Fault(
      "not_found",
      `There is no connector in ${path}: it should have a file connector.ts, or a package.json with a name`,
    );
  }
  return {
    entry,
    folder,
    from: basename(folder),
    packageName: null,
    help: null,
    whyNot: (inputs) => outsideOf(folder, inputs),
  };
}

/** Where a folder has its connector if nothing names another place; null: there is none. */
async function moduleIn(folder: string): Promise<string | null> {
  for (const name of ["connector.ts", "connector.js"]) {
    if ((await stat(join(folder, name)).catch(() => null))?.isFile()) return join(folder, name);
  }
  return null;
}

/** Whether a package.json calls the folder a package. One that cannot be read does: it is refused when it is read. */
async function isPackage(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => null);
  if (text === null) return false;
  try {
    return Object.hasOwn(JSON.parse(text), "name");
  } catch {
    return true;
  }
}

async function ofInstalled(given: string, base: string): Promise<ConnectorSource> {
  const [, name, wanted] = /^((?:@[\w.-]+\/)?[\w-][\w.-]*)(?:@(.+))?$/.exec(given) ?? [];
  const absent = `There is no file, folder or installed package "${given}"`;
  if (name === undefined) throw new Fault("not_found", absent);
  const folder = await findPackage(name, base);
  if (folder === null) {
    throw new Fault("not_found", `${absent}. Muster fetches nothing: install the package here first, as npm does`);
  }
  const { version } = await readPackage(folder);
  if (wanted === undefined) throw new Fault("invalid_request", `Name the version, too: ${name}@${version}`);
  if (version !== wanted) {
    throw new Fault("conflict", `The package that is installed here is ${name}@${version}, not ${name}@${wanted}`);
  }
  return await ofFolder(folder, null);
}

/** The package's folder in the nearest `node_modules`, as modules are searched for. */
async function findPackage(name: string, base: string): Promise<string | null> {
  for (let folder = base;; folder = dirname(folder)) {
    const found = join(folder, "node_modules", name);
    if ((await stat(join(found, "package.json")).catch(() => null)) !== null) return await realpath(found);
    if (dirname(folder) === folder) return null;
  }
}

interface Package {
  readonly name: string;
  readonly version: string;
  readonly exports: unknown;
  readonly main: unknown;
}

async function readPackage(folder: string): Promise<Package> {
  const refused = (why: string, cause?: unknown) => new Fault("unprocessable", `package.json ${why}`, { cause });
  let read: unknown;
  try {
    read = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  } catch (cause) {
    throw refused("is missing in the folder, or is no JSON", cause);
  }
  const { name, version, exports, module, main = module } = isObject(read) ? read : {};
  const isName = typeof name === "string" && /^(@[\w.-]+\/)?[\w-][\w.-]*$/.test(name) && name.length < 200;
  if (!isName || typeof version !== "string" || version.length > 64) throw refused('should have "name" and "version"');
  return { name, version, exports, main };
}

/** A package comes from somebody else: made of files elsewhere on this machine, it could carry them out. */
function outsideOf(folder: string, inputs: readonly string[]): string | null {
  const isInside = (path: string) => {
    const below = relative(folder, path);
    return (below !== ".." && !below.startsWith(`..${sep}`) && !isAbsolute(below)) ||
      path.split(sep).includes("node_modules");
  };
  const found = inputs.find((input) => !isInside(resolve(folder, input)));
  return found === undefined ? null : `it imports "${found}", which is outside of its folder`;
}
