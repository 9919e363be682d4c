/** A process that carries every run of a database and says where it is, one word a line, until somebody kills it. */
import { dirname } from "node:path";
import process from "node:process";
import { sql } from "drizzle-orm";
import { createBeside } from "../../src/runtime/threads/beside.ts";
import { openDatabase } from "../../src/runtime/database.ts";
import { createOwner } from "../../src/runtime/owner.ts";
import { createStaging } from "../../src/runtime/threads/staging.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { runNext } from "../../src/runs/next.ts";
import { createNoSecrets } from "../../src/security/secrets.ts";
import { nowhere } from "../support/nowhere.ts";

const url = `file:${process.argv[2]}`;
/** Each process is so much later than the one before that its run need not pause because that one died. */
const LATER_MS = Number(process.argv[3]) * 20_000;
// As `muster import` has it, but for files that are small.
const beside = createBeside(url, { bytesAlone: 0, checkpointEveryMs: 0 });
const { db, attach } = await openDatabase({ url, authToken: null, role: "alone", wrote: beside.wrote });
const hub = {
  db,
  packing: beside.packing,
  registry: createRegistry(),
  now: () => Date.now() + LATER_MS,
  secrets: createNoSecrets(),
  outbound: nowhere,
  publicUrl: "http://hub.example.com",
  retainDays: 30,
  wake: () => {},
  log: () => {},
};
const [open] = await db.rows<[string]>(sql`select status from runs where status in ('queued', 'planning', 'applying')
  order by id limit 1`);
console.log(open?.[0] ?? "nothing");
const owner = createOwner();
const signal = new AbortController().signal;
const options = {
  signal,
  owner: owner.name,
  isGone: owner.isGone,
  rethrow: true,
  staging: createStaging(dirname(process.argv[2]!), url, attach, { pagesAlone: 0 }),
  onProgress: ({ phase }: { phase: string }) => console.log(phase),
  // Output is flushed, and the process may be killed, between any two steps.
  pause: () => new Promise<void>((resolve) => setTimeout(resolve)),
};
while (await runNext(hub, options) !== null);
await beside.end();
db.close();
console.log("done");
