/** Loads the connectors of the modules that the operator names, in addition to Muster's own. */
import type { Connector } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import type { Registry } from "../hub.ts";
import { connectorFaults } from "./connector-faults.ts";
import { createRegistry } from "./registry.ts";

/** `base`: URL for relative specifiers, with a trailing slash. Fails with `unprocessable`, with all problems in one message. */
export async function loadRegistry(specifiers: readonly string[], base: string): Promise<Registry> {
  const registry = createRegistry();
  const added = new Set<string>();
  const problems: string[] = [];
  for (const specifier of specifiers) {
    const found = await importConnector(specifier, base);
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
async function importConnector(specifier: string, base: string): Promise<Connector<never> | string> {
  let module: { default?: unknown };
  try {
    module = await import(/^\.{0,2}\//.test(specifier) ? new URL(specifier, base).href : specifier);
  } catch (error) {
    return `it cannot be loaded (${error instanceof Error ? error.message.split("\n")[0] : error})`;
  }
  const wrong = connectorFaults(module.default);
  return wrong.length === 0 ? module.default as Connector<never> : wrong.join("; ");
}
