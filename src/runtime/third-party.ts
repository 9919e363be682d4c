/**
 * The connectors of others in this hub: of the modules that the operator names in MUSTER_CONNECTORS, and those that are kept
 * in the data directory. Their code runs in children. It is bundled and described once in a process: other threads get
 * that as data.
 */
import { basename, isAbsolute } from "node:path";
import { fileURLToPath } from "node:url";
import type { Installed, Registry } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import { connectorFaults, dataFaults } from "./connector-faults.ts";
import { type BrokenConnector, type KeptConnector, readKept } from "./installed/kept.ts";
import { createRegistry } from "./registry.ts";
import { type Bundle, bundleConnector } from "./sandbox/bundle.ts";
import { findDeno } from "./sandbox/deno-program.ts";
import { describeConnector, type Described, type IsolatedOptions, loadIsolated } from "./sandbox/isolated.ts";
import type { Limits } from "./sandbox/protocol.ts";

/** A connector as data, which has been checked. */
export interface ConnectorPart {
  readonly bundle: Bundle;
  readonly described: Described;
  readonly from: string;
  /** Whether it is kept in the data directory, with its other versions. */
  readonly isKept: boolean;
}

export interface LoadOptions {
  readonly limits?: Partial<Limits>;
  /** The data directory; absent: no connectors are kept. */
  readonly dataDir?: string;
  /** Starts each child. */
  readonly start?: IsolatedOptions["start"];
}

/** How children are started. */
type ChildrenOptions = Pick<IsolatedOptions, "deno" | "limits" | "start">;

export interface LoadedConnectors {
  readonly registry: Registry;
  /** For registryOf in another thread. */
  readonly parts: readonly ConnectorPart[];
  /** Of those that are kept: what cannot be used. */
  readonly broken: readonly BrokenConnector[];
}

export interface Loaded {
  readonly part: ConnectorPart;
  readonly installed: Installed;
}

/** As loadConnectors: the registry alone. */
export async function loadRegistry(
  specifiers: readonly string[],
  base: string,
  options: LoadOptions = {},
): Promise<Registry> {
  return (await loadConnectors(specifiers, base, options)).registry;
}

/**
 * `base`: `file:` URL of the folder that relative paths and packages are searched from. Fails with `unprocessable`, with
 * all problems of `specifiers` in one message. What is wrong with a kept one is no failure.
 */
export async function loadConnectors(
  specifiers: readonly string[],
  base: string,
  { limits, dataDir, start }: LoadOptions = {},
): Promise<LoadedConnectors> {
  const named: Loaded[] = [], problems: string[] = [];
  const { loaded: kept, broken } = await loadKept(dataDir, { limits, start });
  const taken = new Set<string>(createRegistry().keys());
  for (const specifier of specifiers) {
    const found = await loadModule(specifier, base, { limits, start });
    const refuse = (why: string) => void problems.push(`Cannot use the connector ${specifier}: ${why}`);
    if (typeof found === "string") refuse(found);
    else if (taken.has(found.installed.name)) refuse(`there is already a connector "${found.installed.name}"`);
    else if (kept.some(({ installed }) => installed.name === found.installed.name)) {
      const { name } = found.installed;
      refuse(
        `a connector "${name}" has been added; leave this one out, or remove that: muster connector remove ${name}`,
      );
    } else {
      taken.add(found.installed.name);
      named.push(found);
    }
  }
  if (problems.length > 0) throw new Fault("unprocessable", problems.join("\n"));
  const all = [...named, ...kept];
  return { registry: assemble(all), parts: all.map(({ part }) => part), broken };
}

/** The registry of connectors that another thread has loaded. Starts no child. */
export async function registryOf(
  parts: readonly ConnectorPart[],
  { start }: Pick<LoadOptions, "start"> = {},
): Promise<Registry> {
  const deno = findDeno();
  if (deno === null || parts.length === 0) return assemble([]);
  return assemble(await Promise.all(parts.map((part) => withPart(part, { deno, start }))));
}

/** Of a kept connector, the newest version takes its name, which comes last in `all`. A name of Muster's own is never taken. */
function assemble(all: readonly Loaded[]): Registry {
  const own = createRegistry();
  const registry = new Map<string, Installed>(own), pinned = new Map<string, Installed>();
  const added = new Set<string>();
  for (const { part, installed } of all) {
    if (part.isKept) pinned.set(part.bundle.digest, installed);
    if (own.has(installed.name)) continue;
    registry.set(installed.name, installed);
    added.add(installed.name);
  }
  return Object.assign(registry, { added, pinned });
}

/** Why no connector of others can be loaded where findDeno finds none. */
export const NO_DENO = 'connectors of others run in Deno, which is not here: install the npm package "deno"';

/** The kept ones, described by their manifests: their code is what it was when it was added, by its digest. */
async function loadKept(dataDir: string | undefined, options: Pick<LoadOptions, "limits" | "start">) {
  if (dataDir === undefined) return { loaded: [], broken: [] };
  const { kept, broken } = await readKept(dataDir);
  const deno = findDeno(), loaded: Loaded[] = [], unusable: BrokenConnector[] = [...broken];
  for (const each of kept) {
    const { name, version } = each.manifest;
    const found = deno === null ? NO_DENO : await usable(each, { deno, ...options });
    if (typeof found === "string") unusable.push({ name, version, why: found });
    else loaded.push(found);
  }
  return { loaded, broken: unusable };
}

/** Checks its data again: this hub may ask for more than the one that it was added to. */
async function usable(
  { manifest, bundle, described }: KeptConnector,
  options: ChildrenOptions,
): Promise<Loaded | string> {
  const loaded = await withPart({ bundle, described, from: manifest.from, isKept: true }, options);
  return dataFaults(loaded.installed).join("; ") || loaded;
}

/** The default export of the module, or what is wrong with it. */
export async function loadModule(
  specifier: string,
  base: string,
  options: Pick<LoadOptions, "limits" | "start">,
): Promise<Loaded | string> {
  const deno = findDeno();
  if (deno === null) return NO_DENO;
  if (/^[a-z]+:/i.test(specifier) && !specifier.startsWith("file:")) {
    return "it should be a path or the name of an installed package; Muster loads no code from a URL";
  }
  const isFile = specifier.startsWith("file:");
  const entry = isFile ? fileURLToPath(specifier) : specifier;
  const from = isAbsolute(entry) ? basename(entry) : entry;
  try {
    const bundle = await bundleConnector(entry, fileURLToPath(base));
    return await checkConnector(bundle, from, { deno, ...options });
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}

/** Loads it in a child; what is wrong with it as a text. Fails with `connector_failed` or `unprocessable`. */
export async function checkConnector(
  bundle: Bundle,
  from: string,
  options: ChildrenOptions,
): Promise<Loaded | string> {
  const described = await describeConnector(bundle, options);
  const { code, map, digest } = bundle;
  const loaded = await withPart({ bundle: { code, map, digest }, described, from, isKept: false }, options);
  return (await connectorFaults(loaded.installed)).join("; ") || loaded;
}

async function withPart(
  part: ConnectorPart,
  options: ChildrenOptions,
): Promise<Loaded> {
  const installed = await loadIsolated(part.bundle, { ...options, described: part.described });
  return { part, installed: { ...installed, from: part.from } };
}
