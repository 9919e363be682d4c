/**
 * The connectors that the operator has added, in the data directory: `connectors/<name>/<version>/`, each with its code in
 * one file, the code's source map, and a manifest. A folder is there whole or not at all.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { compareVersions, isVersion } from "../../std/semver.ts";
import type { Bundle } from "../sandbox/bundle.ts";
import type { Described } from "../sandbox/isolated.ts";

const CODE = "connector.js", MAP = "connector.js.map", MANIFEST = "manifest.json";
const NAME = /^[a-z][a-z0-9-]*$/;
const MAX_NAME = 64;

const MANIFEST_FORM = z.object({
  /** Of this file, and of what a child says of its connector. */
  format: z.literal(1),
  name: z.string(),
  version: z.string(),
  title: z.string(),
  /** SHA-256 of the code, in hexadecimal. */
  digest: z.string(),
  /** The package with its version, or the file, that it was made from; no path of this machine. */
  from: z.string(),
  /** Name of the package; null: it was no package. */
  package: z.string().nullable(),
  /** Hosts that it reaches with default settings; null: they depend on settings. */
  hosts: z.array(z.string()).nullable(),
  added_at: z.string(),
  described: z.object({
    data: z.record(z.string(), z.unknown()),
    functions: z.array(z.string()),
    hasSchema: z.boolean(),
    settingsSchema: z.unknown(),
  }),
});

export type Manifest = z.infer<typeof MANIFEST_FORM>;

/** A version of a connector that is kept. */
export interface KeptConnector {
  readonly manifest: Manifest;
  readonly bundle: Bundle;
  readonly described: Described;
}

/** A folder that cannot be used, and why. */
export interface BrokenConnector {
  readonly name: string;
  readonly version: string;
  readonly why: string;
}

export interface KeptConnectors {
  /** By name, the oldest version first. */
  readonly kept: readonly KeptConnector[];
  readonly broken: readonly BrokenConnector[];
}

function folderOf(dataDir: string): string {
  return join(dataDir, "connectors");
}

/** Reads all that are kept. One that cannot be used is among `broken`, and spoils no other. */
export async function readKept(dataDir: string): Promise<KeptConnectors> {
  const kept: KeptConnector[] = [], broken: BrokenConnector[] = [];
  for (const name of await foldersIn(folderOf(dataDir))) {
    for (const version of await foldersIn(join(folderOf(dataDir), name))) {
      const found = await readOne(join(folderOf(dataDir), name, version), name, version);
      if (typeof found === "string") broken.push({ name, version, why: found });
      else kept.push(found);
    }
  }
  kept.sort(({ manifest: a }, { manifest: b }) =>
    a.name === b.name ? compareVersions(a.version, b.version) : a.name < b.name ? -1 : 1
  );
  return { kept, broken };
}

/** Those that begin with a dot are not finished, or are being removed. */
async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: { code?: string }) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw new Fault("unavailable", `The folder ${path} cannot be read`, { cause: error });
  });
  return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map(({ name }) => name).sort();
}

/** What is in the folder, or why it cannot be used. */
async function readOne(folder: string, name: string, version: string): Promise<KeptConnector | string> {
  try {
    const [code, map, text] = await Promise.all(
      [CODE, MAP, MANIFEST].map((file) => readFile(join(folder, file), "utf8")),
    );
    const parsed = MANIFEST_FORM.safeParse(JSON.parse(text!));
    if (!parsed.success) return `its ${MANIFEST} is not one that this version of Muster reads`;
    const manifest = parsed.data;
    if (manifest.name !== name || manifest.version !== version) return `its ${MANIFEST} is that of another connector`;
    if (createHash("sha256").update(code!).digest("hex") !== manifest.digest) {
      return `its ${CODE} is not what was added: it has another digest`;
    }
    const described = { ...manifest.described, settingsSchema: manifest.described.settingsSchema ?? null };
    return { manifest, bundle: { code: code!, map: map!, digest: manifest.digest }, described };
  } catch (error) {
    const { code } = error as { code?: string };
    return error instanceof SyntaxError ? `its ${MANIFEST} is no JSON` : `it cannot be read (${code ?? "error"})`;
  }
}

/** Keeps the connector. Fails with `conflict` where this version is there already. */
export async function keepConnector(dataDir: string, manifest: Manifest, { code, map }: Bundle): Promise<void> {
  if (!NAME.test(manifest.name) || manifest.name.length > MAX_NAME || !isVersion(manifest.version)) {
    throw new Fault("unprocessable", `A folder cannot be called "${manifest.name}/${manifest.version}"`);
  }
  const all = folderOf(dataDir), mine = join(all, manifest.name);
  await mkdir(mine, { recursive: true, mode: 0o700 });
  const part = join(all, `.new-${crypto.randomUUID()}`);
  await mkdir(part, { mode: 0o700 });
  try {
    await writeWhole(join(part, CODE), code);
    await writeWhole(join(part, MAP), map);
    await writeWhole(join(part, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
    await syncFolder(part);
    // Refused by the system where the folder is there.
    await rename(part, join(mine, manifest.version));
    await syncFolder(mine);
    await syncFolder(all);
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes((error as { code?: string }).code ?? "")) {
      throw new Fault("conflict", `"${manifest.name}" ${manifest.version} is there already`, { cause: error });
    }
    throw error;
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

/** Removes a version, also one that cannot be used. */
export async function removeKept(dataDir: string, name: string, version: string): Promise<void> {
  const all = folderOf(dataDir), away = join(all, `.old-${crypto.randomUUID()}`);
  // Away at once: a start that reads it meanwhile finds all of it or nothing.
  await rename(join(all, name, version), away);
  await rm(away, { recursive: true, force: true });
  if ((await readdir(join(all, name))).length === 0) await rm(join(all, name), { recursive: true });
}

async function writeWhole(path: string, text: string): Promise<void> {
  const handle = await open(path, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
