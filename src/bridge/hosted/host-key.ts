/** The hosted server's own key: made at the first start, stored beside the trees, and never changed. */
import { link, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createKeyPair, fingerprintOf } from "../../security/sftp-login.ts";
import { codeOf, ifMissing, writeSynced } from "../disk.ts";
import { ssh2 } from "../ssh2.ts";

export interface HostKey {
  /** In OpenSSH's format. */
  readonly privateKey: string;
  /** `SHA256:…`, as OpenSSH shows it at the first connection. */
  readonly fingerprint: string;
}

const FILE = "host-key";

/** Fails when the file holds something else: a new key would make every client that knows this one refuse to connect. */
export async function loadHostKey(dir: string): Promise<HostKey> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, FILE);
  const privateKey = await readFile(file, "utf8").catch(ifMissing(null)) ?? await make(file);
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || !parsed.isPrivateKey()) {
    throw new Error(`The file ${file} holds no private key: it should hold the one that clients know this server by`);
  }
  return { privateKey, fingerprint: fingerprintOf(parsed.getPublicSSH()) };
}

/**
 * The key is not made by ssh2: one in a few hundred of its keys is invalid. If two processes start at once, the key of one
 * is stored and both use it.
 */
async function make(file: string): Promise<string> {
  const part = `${file}.${crypto.randomUUID()}`;
  try {
    await writeSynced(part, (await createKeyPair("muster")).privateKey, "wx");
    await link(part, file);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(part, { force: true });
  }
  return await readFile(file, "utf8");
}
