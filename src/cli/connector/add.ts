/** `muster connector add`: bundles a connector, loads it in a child, shows what it is, asks, and keeps it. */
import { fileURLToPath } from "node:url";
import { viewConnector } from "../../http/api/connectors.ts";
import type { Installed } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import { DONE, FAILED, type Terminal } from "../../runtime/command.ts";
import { type Config, loadConfig } from "../../runtime/config.ts";
import { keepConnector, type Manifest, readKept } from "../../runtime/installed/kept.ts";
import { type ConnectorSource, withSource } from "../../runtime/installed/open-source.ts";
import { createRegistry } from "../../runtime/registry.ts";
import { bundleConnector } from "../../runtime/sandbox/bundle.ts";
import { findDeno } from "../../runtime/sandbox/deno-program.ts";
import { checkConnector, type ConnectorPart, loadRegistry, NO_DENO } from "../../runtime/third-party.ts";
import { prepareSettings } from "../../runs/settings.ts";
import { coverageText, printable } from "./text.ts";

export async function addConnector(values: { yes?: boolean }, terminal: Terminal, given: string): Promise<number> {
  const config = loadConfig(terminal.env, (line) => terminal.err(`${line}\n`));
  const base = fileURLToPath(terminal.base);
  return await withSource(given, base, async (source) => {
    const { part, installed } = await load(source, given);
    const manifest = await manifestOf(source, part, installed);
    if (await isThere(config, terminal.base, manifest)) {
      terminal.out(`"${manifest.name}" ${manifest.version} is there already, with the same code: nothing was changed`);
      return DONE;
    }
    for (const line of describe(manifest, installed)) terminal.out(line);
    if (!await isWanted(values.yes ?? false, terminal, manifest)) {
      terminal.err("Nothing was added\n");
      return FAILED;
    }
    await keepConnector(config.dataDir, manifest, part.bundle);
    terminal.out(`Added "${manifest.name}" ${manifest.version}. A hub that runs has it after a restart`);
    return DONE;
  });
}

async function load(source: ConnectorSource, given: string): Promise<{ part: ConnectorPart; installed: Installed }> {
  const refused = (why: string) => new Fault("unprocessable", `Cannot add ${given}: ${why}`);
  const deno = findDeno();
  if (deno === null) throw refused(NO_DENO);
  try {
    const bundle = await bundleConnector(source.entry, source.folder);
    const outside = source.whyNot(bundle.inputs);
    if (outside !== null) throw new Fault("unprocessable", outside);
    const loaded = await checkConnector(bundle, source.from, { deno });
    if (typeof loaded === "string") throw new Fault("unprocessable", loaded);
    return loaded;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const isNotFound = source.help !== null && error.message.includes("Could not resolve");
    throw refused(isNotFound ? `${error.message}\n${source.help}` : error.message);
  }
}

async function manifestOf(source: ConnectorSource, part: ConnectorPart, installed: Installed): Promise<Manifest> {
  await prepareSettings(installed, {});
  const { name, version, title, hosts } = viewConnector(createRegistry(), installed, 0);
  return {
    format: 1,
    name,
    version,
    title,
    digest: part.bundle.digest,
    from: source.from,
    package: source.packageName,
    hosts,
    added_at: new Date().toISOString(),
    described: { ...part.described, data: part.described.data!, functions: [...part.described.functions] },
  };
}

/** Whether this very code is kept. Fails with `conflict` where the name or the version belongs to another one. */
async function isThere(config: Config, base: string, manifest: Manifest): Promise<boolean> {
  const { name, version, digest } = manifest;
  const refused = (why: string) => new Fault("conflict", `Cannot add "${name}" ${version}: ${why}`);
  if (createRegistry().has(name)) throw refused("Muster has a connector of its own with this name");
  const { kept, broken } = await readKept(config.dataDir);
  const same = kept.filter((each) => each.manifest.name === name);
  if (broken.some((each) => each.name === name && each.version === version)) {
    throw refused(`its folder is there and cannot be used; first: muster connector remove ${name}@${version}`);
  }
  const present = same.find((each) => each.manifest.version === version);
  if (present?.manifest.digest === digest) return true;
  const other = same.find((each) => each.manifest.package !== null && each.manifest.package !== manifest.package);
  if (other !== undefined && manifest.package !== null) {
    throw refused(`the one that is there is from another package, ${other.manifest.from}; remove that first`);
  }
  if (present !== undefined) throw refused("this version is there with other code; raise the version");
  if (config.connectors.length > 0 && (await loadRegistry(config.connectors, base)).has(name)) {
    throw refused("MUSTER_CONNECTORS names a connector with this name; leave it out there first");
  }
  return false;
}

/** What an operator should see before it is theirs. */
function describe(manifest: Manifest, installed: Installed): string[] {
  const { name, version, title, digest, from, hosts } = manifest;
  const secrets = Object.entries(installed.secrets ?? {}).map(([secret, field]) => `${secret} (${field.title})`);
  const reaches = hosts === null
    ? "depend on the settings of a connection"
    : hosts.length === 0
    ? "none"
    : hosts.join(", ");
  return [
    `${title}: "${name}" ${version}, from ${from}`,
    `  digest   ${digest}`,
    `  brings   ${coverageText(installed.coverage)}`,
    `  hosts    ${reaches}`,
    `  secrets  ${secrets.length === 0 ? "none" : secrets.join(", ")}`,
    ...(installed.homepage === undefined ? [] : [`  homepage ${installed.homepage}`]),
    ...(installed.notes ?? []).map(({ field, text }) => `  note     ${field === undefined ? "" : `${field}: `}${text}`),
  ].map(printable);
}

async function isWanted(yes: boolean, terminal: Terminal, { name }: Manifest): Promise<boolean> {
  if (yes) return true;
  if (terminal.ask === undefined) {
    throw new Fault("invalid_request", "Nobody can be asked here: look at what is shown, and give --yes");
  }
  const answer = await terminal.ask(`Add "${name}"? Its code runs without access to this machine. yes or no: `);
  return answer !== null && /^y(es)?$/i.test(answer.trim());
}
