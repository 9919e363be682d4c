/**
 * `deno run -A bench/sftp-throughput.ts [--mb 256] [--pairs 7] [--cipher NAME]`, or with Node
 * `npx node bench/sftp-throughput.ts`: how fast a file is handed in over SFTP. Random bytes go with OpenSSH's
 * `sftp` over loopback to `muster serve` and to OpenSSH's own `sshd`, in turns. Each time is that of the whole command:
 * from its start over the log-in with a key to the answer that the file is closed.
 *
 * The name is one that is left alone, so nothing is taken of it. Needs `sftp` and `sshd`; prints a table to stdout.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";
import { parseArgs } from "node:util";
import { sftp } from "../test/support/hosted.ts";
import { startSshServer } from "../test/support/sshd.ts";
import { MUSTER } from "./muster.ts";
import { freePort, jsonBody, request, untilHealthy } from "./serving.ts";

const MIB = 1024 * 1024;
const { values: flags } = parseArgs({
  options: {
    mb: { type: "string", default: "256" },
    pairs: { type: "string", default: "7" },
    cipher: { type: "string" },
  },
});
const bytes = Number(flags.mb) * MIB;

interface Server {
  readonly port: number;
  readonly username: string;
  /** Where the file goes, as the client says it. */
  readonly path: string;
}

mkdirSync(join(import.meta.dirname!, "data"), { recursive: true });
const data = mkdtempSync(join(import.meta.dirname!, "data", "throughput-"));
const ends: (() => unknown)[] = [() => rmSync(data, { recursive: true, force: true })];
try {
  const file = writeRandom();
  const sshd = await startSshServer({ after: (end: () => unknown) => void ends.push(end) } as unknown as TestContext);
  const key = join(data, "key");
  writeFileSync(key, sshd.privateKey, { mode: 0o600 });
  const publicKey = execFileSync("ssh-keygen", ["-y", "-P", sshd.passphrase, "-f", key], { encoding: "utf8" });
  const servers: Record<"sshd" | "Muster", Server> = {
    sshd: { port: sshd.port, username: sshd.username, path: `${sshd.folder}/random.part` },
    Muster: await serve(publicKey),
  };
  const put = (server: Server) => putSeconds(server, file, key, sshd.passphrase);
  // Nobody's first file counts.
  for (const server of Object.values(servers)) await put(server);
  console.log(`| pair | sshd, MB/s | Muster, MB/s | ratio |\n| --- | --- | --- | --- |`);
  const pairs: { theirs: number; ours: number; ratio: number }[] = [];
  for (let i = 1; i <= Number(flags.pairs); i++) {
    const theirs = bytes / 1e6 / await put(servers.sshd), ours = bytes / 1e6 / await put(servers.Muster);
    pairs.push({ theirs, ours, ratio: ours / theirs });
    show(String(i), theirs, ours, ours / theirs);
  }
  show("median", ...["theirs", "ours", "ratio"].map((name) => median(pairs.map((pair) => pair[name as "ours"]))));
} finally {
  for (const end of ends.reverse()) await end();
}

function show(name: string, theirs?: number, ours?: number, ratio?: number): void {
  console.log(`| ${name} | ${theirs!.toFixed(0)} | ${ours!.toFixed(0)} | ${ratio!.toFixed(2)} |`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function writeRandom(): string {
  const file = join(data, "random");
  const out = openSync(file, "w");
  for (let written = 0; written < bytes; written += MIB) writeSync(out, randomBytes(MIB));
  closeSync(out);
  return file;
}

async function putSeconds({ port, username, path }: Server, file: string, key: string, passphrase: string) {
  const options = flags.cipher === undefined ? [] : [`-oCiphers=${flags.cipher}`];
  const run = async (command: string) => {
    const { code, out } = await sftp({ port }, username, [command], { key, password: passphrase, options });
    if (code !== 0) throw new Error(`sftp ended with ${code}: ${out}`);
  };
  // What the one before left to be written must not be paid for by this one.
  spawnSync("sync");
  const started = performance.now();
  await run(`put ${file} ${path}`);
  const seconds = (performance.now() - started) / 1000;
  await run(`rm ${path}`);
  return seconds;
}

/** The hub with the bridge inside, and a connection that the key is let in for. */
async function serve(publicKey: string): Promise<Server> {
  const port = await freePort(), sftpPort = await freePort();
  const folder = join(data, "muster"), base = `http://127.0.0.1:${port}`;
  const child = spawn(MUSTER.program, [...MUSTER.args, "serve"], {
    env: {
      ...process.env,
      ...MUSTER.env,
      MUSTER_DATA_DIR: folder,
      HOST: "127.0.0.1",
      PORT: String(port),
      MUSTER_SFTP_PORT: String(sftpPort),
    },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  ends.push(() => {
    child.kill("SIGTERM");
    return ended;
  });
  await untilHealthy(base);
  const token = readFileSync(join(folder, "first-token"), "utf8").trim();
  const call = (path: string, init: RequestInit) => request(`${base}${path}`, token, init);
  await call("/v1/connections", jsonBody("POST", { connector: "sftp-drop", name: "Drops", slug: "drops" }));
  const login = { method: "public_key", public_key: publicKey.trim() };
  const { username } = await call("/v1/connections/drops/sftp-login", jsonBody("POST", login));
  return { port: sftpPort, username: username as string, path: "incoming/random.part" };
}
