/**
 * `deno run -A bench/bamboohr.ts [--people 5000,50000]`: how long everybody of a fake BambooHR takes to be synced by each
 * of its ways, and how much memory the hub has for it. A night with nothing new follows each first one.
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

const { values: flags } = parseArgs({ options: { people: { type: "string", default: "5000,50000" } } });

console.log("| people | read by | first sync, s | nothing new, s | hub's peak, MB |");
console.log("| ------ | ------- | ------------- | -------------- | -------------- |");
for (const people of flags.people.split(",").map(Number)) {
  const fake = await startBambooHR({ tls: true });
  hireCrowd(fake.company, people);
  for (const source of ["employees", "report", "dataset"]) {
    const { first, second, peakMb } = await sync(fake, people, source);
    console.log(`| ${people} | ${source} | ${first.toFixed(1)} | ${second.toFixed(1)} | ${peakMb ?? "?"} |`);
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
    const ask = async (path: string, json: object) => {
      const answer = await fetch(`${url}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", prefer: "wait=60" },
        body: JSON.stringify(json),
      });
      return await answer.json();
    };
    await ask("/v1/connections", {
      connector: "bamboohr",
      name: "BambooHR",
      settings: { subdomain: "acme", source },
      secrets: { api_key: fake.key },
    });
    const seconds: number[] = [];
    for (const expected of ["created", "unchanged"]) {
      const started = performance.now();
      const { run } = await ask("/v1/connections/bamboohr/runs", {});
      if (run.status !== "succeeded" || run.counts[expected] !== people) {
        throw new Error(`The run ended as ${run.status}: ${JSON.stringify(run.error ?? run.counts)}`);
      }
      seconds.push((performance.now() - started) / 1000);
    }
    return { first: seconds[0]!, second: seconds[1]!, peakMb: peakMbOf(hub.pid) };
  } finally {
    hub.kill("SIGTERM");
    await ended;
    rmSync(data, { recursive: true, force: true });
  }
}
