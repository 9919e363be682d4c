/**
 * `deno run -A bench/encrypted.ts --people 1000000`: a file encrypted by GnuPG beside the same one plain, on a hub that
 * knows everybody in it. What decrypting costs in time and in the hub's memory. Needs `gpg`; prints a table to stdout.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writePeople } from "./files.ts";
import { importWithMuster, MUSTER } from "./muster.ts";
import { measure, peakMbOf } from "./process.ts";
import { freePort, jsonBody, request, untilHealthy } from "./serving.ts";

const { values: flags } = parseArgs({ options: { people: { type: "string", default: "1000000" } } });
const people = Number(flags.people);

mkdirSync(join(import.meta.dirname!, "data"), { recursive: true });
const data = mkdtempSync(join(import.meta.dirname!, "data", "encrypted-"));
const home = mkdtempSync(join(tmpdir(), "muster-bench-gpg-"));
try {
  const folder = join(data, "muster");
  await importWithMuster(folder, writePeople(data, "sorted", people));
  const plain = writePeople(data, "shuffled", people);
  const ways: [string, string[] | null][] = [
    ["plain", null],
    ["encrypted", []],
    ["encrypted, not packed", ["--compress-algo", "none"]],
    ["encrypted, armored", ["--armor"]],
  ];
  console.log(`${people.toLocaleString("en")} people, nothing changed, new order\n`);
  console.log("| file | bytes | s | hub's peak, MB |\n| --- | --- | --- | --- |");
  for (const [name, way] of ways) {
    const { bytes, seconds, peakMb } = await handIn(folder, plain, way);
    console.log(`| ${name} | ${bytes.toLocaleString("en")} | ${seconds.toFixed(2)} | ${peakMb} |`);
  }
} finally {
  spawnSync("gpgconf", ["--homedir", home, "--kill", "all"]);
  rmSync(home, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
}

/** Seconds from the first byte that is sent to the end of its run, on a hub that was just started. */
async function handIn(folder: string, plain: string, way: readonly string[] | null) {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const hub = spawn(MUSTER.program, [...MUSTER.args, "serve"], {
    env: { ...process.env, ...MUSTER.env, MUSTER_DATA_DIR: folder, HOST: "127.0.0.1", PORT: String(port) },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => hub.on("close", resolve));
  try {
    await untilHealthy(base);
    const token = readFileSync(join(folder, "first-token"), "utf8").trim();
    const call = (path: string, init: RequestInit = {}) => request(`${base}${path}`, token, init);
    const file = way === null
      ? plain
      : encrypt(plain, way, await call("/v1/connections/csv/pgp-keys", jsonBody("POST", {})));
    const url = `${base}/v1/connections/csv/drops?name=people.csv${way === null ? "" : ".pgp"}`;
    const started = performance.now();
    const posted = await measure(process.execPath, [
      "run",
      "-A",
      join(import.meta.dirname!, "post.ts"),
      url,
      token,
      "default",
      file,
    ]);
    let { run, drop } = JSON.parse(posted.stdout);
    while (["queued", "planning", "applying"].includes(run.status)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      run = await call(`/v1/runs/${run.id}`);
    }
    const seconds = (performance.now() - started) / 1000;
    if (run.status !== "succeeded" || run.counts.unchanged !== people) {
      throw new Error(
        `The run ended as ${run.status} with ${run.counts.unchanged} unchanged, and should have ${people}`,
      );
    }
    return { bytes: drop.bytes as number, seconds, peakMb: peakMbOf(hub.pid) };
  } finally {
    hub.kill("SIGTERM");
    await ended;
  }
}

function encrypt(plain: string, way: readonly string[], key: Record<string, unknown>): string {
  const gpg = (args: readonly string[], input?: string) => {
    const { status, stderr } = spawnSync("gpg", ["--homedir", home, "--batch", "--yes", "--quiet", ...args], { input });
    if (status !== 0) throw new Error(`gpg ${args.join(" ")}: ${stderr}`);
  };
  gpg(["--import"], key.public_key as string);
  const to = ["--recipient", key.fingerprint as string];
  gpg(["--trust-model", "always", ...to, ...way, "--output", `${plain}.pgp`, "--encrypt", plain]);
  return `${plain}.pgp`;
}
