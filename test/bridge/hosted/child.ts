/**
 * A process with a hosted server and a hub that writes down what it has taken, each line once it is on disk. Arguments:
 * folder of the trees, file for what was taken, `kill` or `measure`, and limits as JSON. Prints its port; in the end,
 * asked over stdin, the most memory that it had, in bytes. What it logs goes to stderr.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import process from "node:process";
import { keptName } from "../../../src/bridge/places.ts";
import { createHostedServer } from "../../../src/bridge/hosted/server.ts";
import { createByteSweep, readMemory } from "../../../src/runtime/threads/memory.ts";
import { hostedConnection, PASSWORD } from "../../support/hosted.ts";

const [dir, file, how, limits = "{}"] = process.argv.slice(2) as [string, string, string, string?];
const connections = ["con_a", "con_b", "con_c"].map((id) => hostedConnection(id));
const known = new Set(existsSync(file) ? readFileSync(file, "utf8").split("\n") : []);
const log = openSync(file, "a");
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const server = await createHostedServer({
  dir,
  host: "127.0.0.1",
  port: 0,
  now: Date.now,
  log: (event, details) => console.error(JSON.stringify({ event, ...details })),
  passed: createByteSweep(),
  logIn: ({ username, password }) =>
    Promise.resolve(
      connections.some(({ id }) => id === username) && password === PASSWORD
        ? { connection: username, proof: "password" }
        : null,
    ),
  hub: {
    connections: () => connections,
    async handOver(_, whole) {
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const chunk of whole.open() as unknown as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        bytes += chunk.length;
        if (how === "kill") await pause(1);
      }
      // The same name, size, time and digest is the same file, as for the real hub.
      const line = JSON.stringify([whole.name, bytes, whole.modifiedAt, hash.digest("hex")]);
      const repeated = known.has(line);
      if (!repeated) {
        writeSync(log, `${line}\n`);
        fsyncSync(log);
        known.add(line);
      }
      if (how === "kill") await pause(20);
      return {
        drop: "drp_1",
        run: "run_1",
        repeated,
        keptAs: keptName(whole.name, 0),
        settle: () => Promise.resolve(),
      };
    },
    reportListing: () => Promise.resolve(),
    isAlreadyTaken: () => Promise.resolve(false),
    reportHealth: () => {},
  },
}, { limits: { settleMs: 10, ...JSON.parse(limits) } });

// As the hub's own process does. Deno opens two files for it, and ends where it has none: by itself it would do so half a
// second after its start, when a test may have taken all of them.
process.once("SIGTERM", () => process.exit(143));

let peak = 0;
const watch = setInterval(() => peak = Math.max(peak, readMemory()?.resident ?? 0), 25);
console.log(server.port);
process.stdin.resume();
process.stdin.once("end", async () => {
  clearInterval(watch);
  await server.close();
  closeSync(log);
  console.log(peak);
});
