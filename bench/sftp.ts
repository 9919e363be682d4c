/**
 * `deno run -A bench/sftp.ts --people 1000000`: a file in which nothing has changed, dropped with OpenSSH's `sftp` on the
 * hosted server of a bridge, plain and encrypted by GnuPG, for a bridge that is a process of its own and for the one
 * within the hub. How long it takes from the closed handle to the end of its run, and how much memory each process has.
 *
 * Everybody is imported before, and hub and bridge are started anew for each file. Needs `sftp` and `gpg`; prints a table
 * to stdout.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sftp } from "../test/support/hosted.ts";
import { type FileName, writePeople } from "./files.ts";
import { importWithMuster, MUSTER } from "./muster.ts";
import { peakMbOf } from "./process.ts";
import { freePort, jsonBody, request, untilHealthy } from "./serving.ts";

const { values: flags } = parseArgs({ options: { people: { type: "string", default: "1000000" } } });
const people = Number(flags.people);

/** Of each process, in MB. */
const MOST_PLAIN = 350, MOST_ENCRYPTED = 500;

mkdirSync(join(import.meta.dirname!, "data"), { recursive: true });
const data = mkdtempSync(join(import.meta.dirname!, "data", "sftp-"));
const gpgHome = mkdtempSync(join(tmpdir(), "muster-bench-gpg-"));
const folder = join(data, "muster");
try {
  const key = await prepare();
  console.log(`${people.toLocaleString("en")} people, nothing changed, new order\n`);
  console.log("| bridge | file | bytes | s from the closed handle | hub's peak, MB | bridge's peak, MB |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  // Never the same bytes twice in a row: those would be skipped.
  const orders: FileName[] = ["shuffled", "reordered"];
  for (const [i, isApart] of [true, false].entries()) {
    for (const isEncrypted of [false, true]) {
      const plain = writePeople(data, orders[i]!, people);
      const file = isEncrypted ? encrypt(plain, key) : plain;
      const most = isEncrypted ? MOST_ENCRYPTED : MOST_PLAIN;
      const { seconds, hubMb, bridgeMb } = await drop(file, isApart);
      const shown = [
        isApart ? "a process of its own" : "within the hub",
        isEncrypted ? "encrypted" : "plain",
        statSync(file).size.toLocaleString("en"),
        seconds.toFixed(1),
        said(hubMb, most),
        bridgeMb === undefined ? "" : said(bridgeMb, most),
      ];
      console.log(`| ${shown.join(" | ")} |`);
    }
  }
} finally {
  spawnSync("gpgconf", ["--homedir", gpgHome, "--kill", "all"]);
  rmSync(gpgHome, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
}

function said(mb: number | null, most: number): string {
  return mb === null ? "?" : `${mb} (≤ ${most}${mb > most ? ", **not reached**" : ""})`;
}

/** A connection that has taken everybody, and whose key is made. */
async function prepare(): Promise<Record<string, unknown>> {
  const { call, end } = await serve(0);
  let key: Record<string, unknown>;
  try {
    await call("/v1/connections", jsonBody("POST", { connector: "sftp-drop", name: "Drops", slug: "drops" }));
    key = await call("/v1/connections/drops/pgp-keys", jsonBody("POST", {}));
  } finally {
    await end();
  }
  await importWithMuster(folder, writePeople(data, "sorted", people), ["--connection", "drops"]);
  return key;
}

async function drop(file: string, isApart: boolean) {
  const sftpPort = await freePort();
  const hub = await serve(isApart ? 0 : sftpPort);
  const bridge = isApart ? await startBridge(hub, sftpPort) : null;
  try {
    await until(async () => (await hub.call("/v1/connections/drops")).sftp.bridge !== null);
    const { username, password } = await hub.call(
      "/v1/connections/drops/sftp-login",
      jsonBody("POST", { method: "password" }),
    );
    const [before] = (await hub.call("/v1/runs?connection=drops&limit=1")).data;
    const name = file.endsWith(".pgp") ? "people.csv.pgp" : "people.csv";
    const sent = await sftp({ port: sftpPort }, username, [`put ${file} incoming/${name}`], { password });
    if (sent.code !== 0) throw new Error(`sftp ended with ${sent.code}: ${sent.out}`);
    const closed = performance.now();
    const run = await until(async () => {
      const [run] = (await hub.call("/v1/runs?connection=drops&limit=1")).data;
      return run.id !== before.id && run.finished_at !== null ? run : null;
    });
    const seconds = (performance.now() - closed) / 1000;
    if (run.status !== "succeeded" || run.counts.unchanged !== people) {
      throw new Error(`The run ended as ${run.status}: ${JSON.stringify(run.error ?? run.counts)}`);
    }
    return { seconds, hubMb: peakMbOf(hub.pid), bridgeMb: bridge === null ? undefined : peakMbOf(bridge.pid) };
  } finally {
    await bridge?.end();
    // Else its connection would stay with it for a while.
    for (const { id } of (await hub.call("/v1/bridges")).data) {
      await hub.call(`/v1/bridges/${id}`, { method: "DELETE" });
    }
    await hub.end();
  }
}

interface Started {
  readonly pid: number | undefined;
  end(): Promise<unknown>;
}

function start(args: readonly string[], env: Record<string, string>): Started {
  const child: ChildProcess = spawn(MUSTER.program, [...MUSTER.args, ...args], {
    env: { ...process.env, ...MUSTER.env, ...env },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  return {
    pid: child.pid,
    end() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

async function serve(sftpPort: number) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const started = start(["serve"], {
    MUSTER_DATA_DIR: folder,
    HOST: "127.0.0.1",
    PORT: String(port),
    MUSTER_SFTP_PORT: String(sftpPort),
  });
  await untilHealthy(base);
  const token = readFileSync(join(folder, "first-token"), "utf8").trim();
  // deno-lint-ignore no-explicit-any
  const call = (path: string, init: RequestInit = {}) => request(`${base}${path}`, token, init) as Promise<any>;
  return { ...started, base, call };
}

async function startBridge(hub: Awaited<ReturnType<typeof serve>>, sftpPort: number): Promise<Started> {
  const { token } = await hub.call("/v1/tokens", jsonBody("POST", { name: "bridge", scopes: ["bridge"] }));
  const started = start(["bridge", "--hub", hub.base, "--name", `bench-${sftpPort}`], {
    MUSTER_BRIDGE_TOKEN: token,
    HOST: "127.0.0.1",
    MUSTER_SFTP_PORT: String(sftpPort),
    MUSTER_SFTP_DIR: join(data, "sftp"),
  });
  const { id } = await until(async () => (await hub.call("/v1/bridges")).data.find(isOurs));
  await hub.call(`/v1/bridges/${id}/confirm`, jsonBody("POST", {}));
  return started;

  function isOurs(bridge: { name: string; hosted: { port: number } | null }): boolean {
    return bridge.hosted?.port === sftpPort;
  }
}

/** Asks until there is something. */
async function until<T>(look: () => Promise<T>): Promise<NonNullable<T>> {
  for (const end = Date.now() + 600_000; Date.now() < end;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found as NonNullable<T>;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("It took too long");
}

function encrypt(plain: string, key: Record<string, unknown>): string {
  const gpg = (args: readonly string[], input?: string) => {
    const { status, stderr } = spawnSync("gpg", ["--homedir", gpgHome, "--batch", "--yes", "--quiet", ...args], {
      input,
    });
    if (status !== 0) throw new Error(`gpg ${args.join(" ")}: ${stderr}`);
  };
  gpg(["--import"], key.public_key as string);
  const to = ["--recipient", key.fingerprint as string];
  gpg(["--trust-model", "always", ...to, "--output", `${plain}.pgp`, "--encrypt", plain]);
  return `${plain}.pgp`;
}
