/**
 * `deno run -A bench/bamboohr.ts [--people 5000,50000] [--sources employees,report,dataset]`: how long everybody of a fake
 * BambooHR takes to be synced by each of its ways, and how much memory the hub has for it: before, while everybody is read
 * for the first time, and at most. Two nights with nothing new follow the first one.
 *
 * The fake is in this process, the hub in one of its own, as `npm start` starts it.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { hireCrowd } from "../test/support/bamboohr/company.ts";
import { type BambooHR, startBambooHR } from "../test/support/bamboohr/server.ts";
import { AUTHORITY } from "../test/support/bamboohr/tls.ts";
import { MUSTER } from "./muster.ts";
import { peakMbOf } from "./process.ts";

const { values: flags } = parseArgs({
  options: {
    people: { type: "string", default: "5000,50000" },
    sources: { type: "string", default: "employees,report,dataset" },
  },
});
/** Often enough for a read that takes a second. */
const LOOK_EVERY_MS = 20;

console.log(
  "| people | read by | first sync, s | nothing new, s | hub before, MB | while it reads, MB | at most, MB |",
);
console.log(
  "| ------ | ------- | ------------- | -------------- | -------------- | ------------------ | ----------- |",
);
for (const people of flags.people.split(",").map(Number)) {
  const fake = await startBambooHR({ tls: true });
  hireCrowd(fake.company, people);
  for (const source of flags.sources.split(",")) {
    const { seconds, beforeMb, readingMb, peakMb } = await sync(fake, people, source);
    const cells = [people, source, seconds[0]!.toFixed(1), seconds.at(-1)!.toFixed(1), beforeMb, readingMb, peakMb];
    console.log(`| ${cells.map((cell) => cell ?? "?").join(" | ")} |`);
  }
  await fake.close();
}

async function sync(fake: BambooHR, people: number, source: string) {
  const data = mkdtempSync(join(tmpdir(), "muster-bench-"));
  const authority = join(data, "authority.pem");
  writeFileSync(authority, AUTHORITY);
  const hub = spawn(MUSTER.program, [...MUSTER.args, "serve"], {
    env: {
      ...process.env,
      ...MUSTER.env,
      PORT: "0",
      MUSTER_DATA_DIR: join(data, "data"),
      MUSTER_ALLOW_HOSTS: fake.allowHosts,
      NODE_EXTRA_CA_CERTS: authority,
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise((resolve) => hub.on("close", resolve));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = "";
      hub.stdout.on("data", (data) => {
        const found = /^Muster is at (http:\/\/\S+)$/m.exec(said += data)?.[1];
        if (found !== undefined) resolve(found);
      });
      ended.then(() => reject(new Error(`The hub ended: ${said}`)));
    });
    const token = readFileSync(join(data, "data", "first-token"), "utf8").trim();
    const ask = async (method: "GET" | "POST", path: string, json?: object) => {
      const answer = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: json === undefined ? undefined : JSON.stringify(json),
      });
      return await answer.json();
    };
    /** With the highest memory as it was when the run still waited. */
    const settled = async (id: string, waits: ReadonlySet<string>) => {
      for (let peakMb = peakMbOf(hub.pid);;) {
        const run = await ask("GET", `/v1/runs/${id}`);
        if (!waits.has(run.status)) return { run, peakMb };
        peakMb = peakMbOf(hub.pid);
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    };
    await ask("POST", "/v1/connections", {
      connector: "bamboohr",
      name: "BambooHR",
      settings: { subdomain: "acme", source },
      secrets: { api_key: fake.key },
    });
    const beforeMb = peakMbOf(hub.pid);
    let readingMb: number | null = null;
    const seconds: number[] = [];
    for (const expected of ["created", "unchanged", "unchanged"]) {
      const started = performance.now();
      const { run: { id } } = await ask("POST", "/v1/connections/bamboohr/runs", {});
      // While it is read it waits in the queue.
      readingMb ??= (await settled(id, new Set(["queued"]))).peakMb;
      const { run } = await settled(id, new Set(["queued", "planning", "applying"]));
      if (run.status !== "succeeded" || run.counts[expected] !== people) {
        throw new Error(`The run ended as ${run.status}: ${JSON.stringify(run.error ?? run.counts)}`);
      }
      seconds.push((performance.now() - started) / 1000);
    }
    return { seconds, beforeMb, readingMb, peakMb: peakMbOf(hub.pid) };
  } finally {
    hub.kill("SIGTERM");
    await ended;
    rmSync(data, { recursive: true, force: true });
  }
}
