/**
 * What searches cost others: people imported, and then eight wide searches at once while one other reads single people.
 *
 *   deno run -A bench/search.ts [people] [folder of the hub to measure]
 *
 * Prints how long the import took, how long the index was behind it and how much it added, and the other's p50 and p99.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { spawn } from "node:child_process";
import { MUSTER } from "./muster.ts";

const people = Number(process.argv[2] ?? 200_000);
const root = process.argv[3] ?? new URL("..", import.meta.url).pathname;
const SECONDS = 15, SEARCHES = 8;
const SYLLABLES = ["an", "be", "ka", "lo", "mi", "ra", "so", "te", "vi", "zu", "el", "ro", "ta", "ni", "du"];

let seed = 1;
const random = (n: number) => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % 65_521 % n;
const name = () => Array.from({ length: 2 + random(3) }, () => SYLLABLES[random(SYLLABLES.length)]).join("");

function file(): string {
  const rows = ["employee_id,email,first_name,last_name"];
  for (let n = 1; n <= people; n++) rows.push(`${String(n).padStart(7, "0")},p${n}@example.com,${name()},${name()}`);
  return `${rows.join("\n")}\n`;
}

const folder = mkdtempSync(join(tmpdir(), "muster-search-bench-"));
const hub = spawn(MUSTER.program, ["deno", join(root, "src", "deno.ts"), "serve"], {
  cwd: root,
  env: {
    ...MUSTER.env,
    HOME: process.env.HOME,
    DENO_DIR: process.env.DENO_DIR ?? "",
    PORT: "0",
    MUSTER_SFTP_PORT: "0",
    MUSTER_DATA_DIR: folder,
    MUSTER_RATE_LIMIT: "0",
  },
  stdio: ["ignore", "pipe", "ignore"],
});
try {
  let said = "";
  const [url, first] = await new Promise<[string, string]>((resolve) =>
    hub.stdout!.on("data", (data) => {
      said += data;
      const found = /is at (http:\S+)/.exec(said)?.[1], key = /first token[^:]*: (\S+)/.exec(said)?.[1];
      if (found !== undefined && key !== undefined) resolve([found, key]);
    })
  );
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${first}`, ...init.headers } });
  const begunAt = performance.now();
  const answer = await ask("/v1/connections/csv/drops?name=people.csv", {
    method: "POST",
    body: file(),
    headers: { "content-type": "text/csv" },
  });
  const { run } = await answer.json();
  for (;;) {
    const { status } = await (await ask(`/v1/runs/${run.id}`)).json();
    if (["succeeded", "partial"].includes(status)) break;
    if (["failed", "held"].includes(status)) throw new Error(`The run ended as ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const importedAt = performance.now();
  console.log(`import ${people}: ${seconds(importedAt - begunAt)}`);
  const last = `p${people}`;
  for (;;) {
    const { data } = await (await ask(`/v1/users?q=${last}`)).json();
    if (data?.length > 0) break;
    if (performance.now() - importedAt > 300_000) throw new Error("The index was not complete after 300 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  console.log(`index behind the import: ${seconds(performance.now() - importedAt)}`);
  console.log(`database: ${(statSync(join(folder, "muster.db")).size / 1e6).toFixed(1)} MB`);

  const { data } = await (await ask("/v1/users?limit=200")).json();
  const measure = async (label: string, wide: boolean) => {
    const endsAt = performance.now() + SECONDS * 1000;
    const words = ["e", "example", "a", "zzz", "com", "example zzz", "l m", "ta"];
    let searches = 0;
    const statuses = new Map<number, number>();
    const searching = Array.from({ length: wide ? SEARCHES : 0 }, async (_, n) => {
      while (performance.now() < endsAt) {
        const got = await ask(`/v1/users?q=${encodeURIComponent(words[n % words.length]!)}`);
        await got.text();
        searches++;
        statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1);
      }
    });
    const took: number[] = [];
    for (let n = 0; performance.now() < endsAt; n++) {
      const at = performance.now();
      await (await ask(`/v1/users/${data[n % data.length].id}`)).text();
      took.push(performance.now() - at);
    }
    await Promise.all(searching);
    took.sort((a, b) => a - b);
    const at = (share: number) => `${took[Math.floor(took.length * share)]!.toFixed(1)} ms`;
    console.log(
      `${label}: ${took.length} reads, p50 ${at(0.5)}, p99 ${at(0.99)}; ${searches} searches ${
        JSON.stringify([...statuses])
      }`,
    );
  };
  await measure("alone", false);
  await measure(`beside ${SEARCHES} wide searches`, true);
} finally {
  hub.kill("SIGTERM");
  await new Promise((resolve) => hub.on("exit", resolve));
  rmSync(folder, { recursive: true, force: true });
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
