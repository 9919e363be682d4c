/** Loads the connectors of the modules that the operator names, in addition to Muster's own. Their code runs in children. */
import { fileURLToPath } from "node:url";
import type { Installed, Registry } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import { connectorFaults } from "./connector-faults.ts";
import { createRegistry } from "./registry.ts";
import { bundleConnector } from "./sandbox/bundle.ts";
import { findDeno } from "./sandbox/deno-program.ts";
import { loadIsolated } from "./sandbox/isolated.ts";
import type { Limits } from "./sandbox/protocol.ts";

/**
 * `base`: `file:` URL of the folder that relative paths and packages are searched from. Fails with `unprocessable`, with
 * all problems in one message.
 */
export async function loadRegistry(
  specifiers: readonly string[],
  base: string,
  options: { readonly limits?: Partial<Limits> } = {},
): Promise<Registry> {
  const registry = new Map<string, Installed>(createRegistry());
  const added = new Set<string>();
  const problems: string[] = [];
  for (const specifier of specifiers) {
    const found = await loadConnector(specifier, base, options.limits);
    if (typeof found === "string") problems.push(`Cannot use the connector ${specifier}: ${found}`);
    else if (registry.has(found.name)) {
      problems.push(`Cannot use the connector ${specifier}: there is already a connector "${found.name}"`);
    } else {
      registry.set(found.name, found);
      added.add(found.name);
    }
  }
  if (problems.length > 0) throw new Fault("unprocessable", problems.join("\n"));
  return Object.assign(registry, { added });
}

/** The default export of the module, or what is wrong with it. */
export async function loadConnector(
  specifier: string,
  base: string,
  limits?: Partial<Limits>,
): Promise<Installed | string> {
  const deno = findDeno();
  if (deno === null) return 'connectors of others run in Deno, which is not here: install the npm package "deno"';
  if (/^[a-z]+:/i.test(specifier) && !specifier.startsWith("file:")) {
    return "it should be a path or the name of an installed package; Muster loads no code from a URL";
  }
  try {
    const entry = specifier.startsWith("file:") ? fileURLToPath(specifier) : specifier;
    const found = await loadIsolated(await bundleConnector(entry, fileURLToPath(base)), { deno, limits });
    return (await connectorFaults(found)).join("; ") || found;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}
