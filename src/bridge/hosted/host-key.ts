/** The hosted server's own key: made at the first start, kept beside the trees, and the same ever after. */
import { link, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createKeyPair, fingerprintOf } from "../../security/sftp-login.ts";
import { ssh2 } from "../ssh2.ts";

export interface HostKey {
  /** As OpenSSH keeps it. */
  readonly privateKey: string;
  /** `SHA256:…`, as OpenSSH shows it to those who connect for the first time. */
  readonly fingerprint: string;
}

const FILE = "host-key";

/** Fails when the file holds something else: another key would frighten every client that knows this one. */
export async function loadHostKey(dir: string): Promise<HostKey> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, FILE);
  const privateKey = await readText(file) ?? await make(file);
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error || !parsed.isPrivateKey()) {
    throw new Error(`The file ${file} holds no private key: it should hold the one that clients know this server by`);
  }
  return { privateKey, fingerprint: fingerprintOf(parsed.getPublicSSH()) };
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return null;
    throw error;
  }
}

/** Not the library's own maker: one in a few hundred of its keys is none. Of two starts at once, the key of one is kept, and both go on with it. */
async function make(file: string): Promise<string> {
  const part = `${file}.${crypto.randomUUID()}`;
  const handle = await open(part, "wx", 0o600);
  try {
    await handle.writeFile((await createKeyPair("muster")).privateKey);
    await handle.sync();
    await link(part, file);
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
  } finally {
    await handle.close();
    await rm(part, { force: true });
  }
  return await readFile(file, "utf8");
}
