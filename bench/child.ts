/**
 * `deno run -A bench/child.ts [--starts 21] [--rows 200000] [--rounds 5] [--only "starts,rows"]`: what a child process of a
 * connector of others costs: its start, by the size of the connector's code, and rows through it, beside the same
 * connector in this process. Prints tables to stdout.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import type { FetchContext, FetchedRows } from "../src/connector.ts";
import { type Host, startChild, startHost } from "../src/runtime/sandbox/child.ts";
import { findDeno } from "../src/runtime/sandbox/deno-program.ts";
import { hostText } from "../src/runtime/sandbox/host-text.ts";
import { loadIsolated } from "../src/runtime/sandbox/isolated.ts";
import { createWarmHost } from "../src/runtime/sandbox/warm.ts";
import { createKeeper, NOTHING_KEPT } from "../src/sources/keep.ts";
import { percentile } from "./serving.ts";

const { values: flags } = parseArgs({
  options: {
    starts: { type: "string", default: "21" },
    rows: { type: "string", default: "200000" },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "starts,rows" },
  },
});
const only = new Set(flags.only.split(","));
const deno = findDeno()!;
const SIZES_KB = [1, 100, 1000];
/** What a child of 100 KB should take at the median, from a process that waits, and rows through one, beside this process. */
const WARM_MS = 100, TIMES = 1.5;
const AT_ONCE = 250;
const FETCHED = "fetched and kept";

/** A connector that yields so many rows of 12 fields, padded with functions to so many bytes. */
function code(rows: number, bytes = 0): string {
  const connector = `
export default {
  api: 1, name: "bench", version: "1.0.0", title: "Bench", coverage: { users: "full" }, input: "fetch", mapping: {},
  settings: { "~standard": { version: 1, vendor: "own", validate: (value) => ({ value }) } },
  async *fetch() {
    for (let from = 0; from < ${rows}; from += 500) {
      const records = Array.from({ length: 500 }, (_, i) => person(from + i));
      yield { origin: "page " + from, records };
    }
  },
  normalize: ({ columns, cells }) => Object.fromEntries(columns.map((column, i) => [column, cells[i]])),
};
function person(n) {
  return { employee_id: "E" + n, email: "person" + n + "@example.com", first_name: "Given" + n % 997, last_name: "Family" + n % 7919,
    title: "Engineer " + n % 50, department: "Department " + n % 200, location: "Porto", manager: "E" + (n >> 3),
    phone: "+351 200 " + n, hire_date: "2020-01-" + (10 + n % 18), cost_center: "CC" + n % 300, employment_type: "full-time" };
}
`;
  let padding = "";
  for (let n = 0; connector.length + padding.length < bytes; n++) {
    padding +=
      `export function pad${n}(a, b = { c: ${n} }) { if (a === b.c) return [a, "text ${n}"].map((x) => x + b.c); return null; }\n`;
  }
  return connector + padding;
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** A program from its start to its end. */
function run(args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    spawn(deno, args, { env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env }, stdio: "ignore" }).on(
      "close",
      () => resolve(),
    )
      .on("error", reject);
  });
}

/** What is measured: `prepare` is not. */
interface Kind {
  readonly name: string;
  readonly prepare?: () => Promise<unknown>;
  readonly start: () => Promise<unknown>;
  readonly mostMs?: number;
}

async function starts(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "muster-bench-"));
  const empty = join(folder, "empty.js");
  writeFileSync(empty, "");
  await hostText();
  const ended: { end(): Promise<void> }[] = [];
  let waiting: Promise<Host> | null = null;
  const warm = createWarmHost({ startOne: (options) => waiting = startHost(options) });
  warm.open();
  const kinds: Kind[] = [
    { name: "`deno --version`: the program alone", start: () => run(["--version"]) },
    {
      name: "`deno run` of an empty file",
      start: () => run(["run", "--no-config", empty], { DENO_DIR: folder }),
    },
    ...SIZES_KB.flatMap((kb): Kind[] => {
      const text = code(0, kb * 1000);
      return [
        {
          name: `a child of ${kb} KB, from nothing`,
          start: async () => void ended.push(await startChild({ deno, code: text })),
        },
        {
          name: `a child of ${kb} KB, from a process that waits`,
          prepare: () => waiting!,
          start: async () => void ended.push(await warm.start({ deno, code: text })),
          ...(kb === 100 ? { mostMs: WARM_MS } : {}),
        },
      ];
    }),
  ];
  const times = kinds.map((): number[] => []);
  // In turns, so that what else the machine does hits all of them.
  for (let n = 0; n <= Number(flags.starts); n++) {
    for (const [i, { prepare, start }] of kinds.entries()) {
      await prepare?.();
      const ms = await msOf(start);
      // Its successor is ready before the next is measured, which it would slow down.
      await waiting;
      // The first one finds nothing in the page cache.
      if (n > 0) times[i]!.push(ms);
      await ended.pop()?.end();
    }
  }
  const memory = residentOf((await waiting!).pid);
  await warm.close();
  rmSync(folder, { recursive: true });
  console.log(`| start | median, ms | least, ms | p90, ms |\n| --- | --- | --- | --- |`);
  for (const [i, { name, mostMs = null }] of kinds.entries()) {
    const middle = percentile(times[i]!, 0.5);
    const [median, least, most] = [0.5, 0, 0.9].map((share) => percentile(times[i]!, share).toFixed(0));
    console.log(`| ${name} | ${median}${wanted(middle, mostMs)} | ${least} | ${most} |`);
  }
  if (memory !== null) console.log(`\nA process that waits has ${memory}.`);
}

/** What a figure should be at most, and whether it is. */
function wanted(figure: number, most: number | null): string {
  return most === null ? "" : ` (≤ ${most}${figure <= most ? "" : ", **not reached**"})`;
}

/** Null: there is no /proc. */
function residentOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const mb = (name: string) => (Number(new RegExp(`^${name}: *(\\d+)`, "m").exec(text)![1]) / 1000).toFixed(0);
    return `${mb("Rss")} MB resident, ${mb("Pss_Anon")} MB of them its own`;
  } catch {
    return null;
  }
}

/** Takes all pages as a fetch does, which stores its rows as JSON; here nothing is stored. */
async function keep(pages: AsyncIterable<FetchedRows>, expected: number): Promise<void> {
  const keeper = createKeeper(NOTHING_KEPT, { keep: () => Promise.resolve() });
  for await (const page of pages) await keeper.add(page);
  const { records } = await keeper.flush();
  if (records !== expected) throw new Error(`${records} rows came, and should be ${expected}`);
}

interface Bench {
  fetch(context: FetchContext<never>): AsyncIterable<FetchedRows>;
  normalize(row: object, context: object): object;
}

async function rows(): Promise<void> {
  const count = Number(flags.rows), text = code(count);
  const here = (await import(`data:text/javascript,${encodeURIComponent(text)}`)).default as Bench;
  const apart = await loadIsolated({ code: text, digest: "bench", map: "{}" }, { deno });
  const context = { settings: {}, checkpoint: { resume: null, last: null }, drop: null, log: () => {} } as never;
  const columns = Array.from({ length: 12 }, (_, i) => `field_${i}`);
  const batch = Array.from(
    { length: AT_ONCE },
    (_, n) => [n, null, columns.map((column) => `${column} of ${n}`)] as const,
  );
  const normalizer = apart.isolated!.openNormalizer("bench");
  const asked = { columns, rows: batch, context: {} } as never;
  const kinds: Record<string, readonly [() => Promise<unknown>, () => Promise<unknown>]> = {
    [FETCHED]: [
      () => keep(here.fetch(context), count),
      () => keep(apart.fetch(context) as AsyncIterable<FetchedRows>, count),
    ],
    normalized: [
      // deno-lint-ignore require-await
      async () => {
        for (let n = 0; n < count; n += AT_ONCE) {
          batch.map(([line, origin, cells]) => here.normalize({ line, origin, columns, cells }, {}));
        }
      },
      async () => {
        for (let n = 0; n < count; n += AT_ONCE) await normalizer.normalize(asked);
      },
    ],
  };
  console.log(`| ${count} rows of 12 fields | here, s | in a child, s | times as long |\n| --- | --- | --- | --- |`);
  for (const [name, [inProcess, inChild]] of Object.entries(kinds)) {
    const pairs: [number, number][] = [];
    for (let n = 0; n <= Number(flags.rounds); n++) pairs.push([await msOf(inProcess), await msOf(inChild)]);
    // The first round is slower in both: V8 has compiled nothing.
    pairs.shift();
    const middle = (of: (pair: [number, number]) => number) => percentile(pairs.map(of), 0.5);
    const ratio = middle(([a, b]) => b / a), most = name === FETCHED ? TIMES : null;
    console.log(
      `| ${name} | ${middle(([a]) => a / 1000).toFixed(2)} | ${middle(([, b]) => b / 1000).toFixed(2)} | ` +
        `${ratio.toFixed(2)} ×${wanted(ratio, most)} |`,
    );
  }
}

if (only.has("starts")) await starts();
if (only.has("rows")) await rows();
process.exit(0);
