/**
 * `deno run -A bench/pages.ts [--people 1000000] [--runs 10000] [--times 100]`: how long the console's pages take with many
 * people and runs in one organization, and how much a first visit loads.
 *
 * People are imported by the command line; runs are copies of that run's row. Each page is asked for one after the other
 * by a signed-in browser's requests over loopback, so what is printed is the server's time and a little more.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { writePeople } from "./files.ts";
import { databaseIn, importWithMuster, MUSTER } from "./muster.ts";
import { freePort, percentile, request, untilHealthy } from "./serving.ts";

const { values: flags } = parseArgs({
  options: {
    people: { type: "string", default: "1000000" },
    runs: { type: "string", default: "10000" },
    times: { type: "string", default: "100" },
  },
});
const people = Number(flags.people), runs = Number(flags.runs), times = Number(flags.times);

mkdirSync(join(import.meta.dirname!, "data"), { recursive: true });
const data = mkdtempSync(join(import.meta.dirname!, "data", "pages-"));
try {
  await importWithMuster(data, writePeople(join(data, "files"), "sorted", people));
  addRuns(databaseIn(data));
  await serving(visitAll);
} finally {
  rmSync(data, { recursive: true, force: true });
}

function addRuns(file: string): void {
  const database = new DatabaseSync(file);
  const columns = database.prepare("select name from pragma_table_info('runs') where name <> 'id'").all()
    .map(({ name }) => String(name)).join();
  database.exec(`with recursive n (i) as (select 1 union all select i + 1 from n where i < ${runs})
    insert into runs (id, ${columns}) select (select max(id) from runs) + i, ${columns} from n, (select * from runs limit 1)`);
  database.exec("update sequences set next = (select max(id) from runs) + 1 where name = 'run'");
  database.close();
}

async function serving(work: (base: string, token: string) => Promise<void>): Promise<void> {
  const port = await freePort(), base = `http://127.0.0.1:${port}`;
  const env = { ...process.env, ...MUSTER.env, MUSTER_DATA_DIR: data, PORT: String(port), MUSTER_SFTP_PORT: "0" };
  const hub = spawn(MUSTER.program, [...MUSTER.args, "serve"], { env, stdio: "ignore" });
  const ended = new Promise((resolve) => hub.on("close", resolve));
  try {
    await untilHealthy(base);
    await work(base, readFileSync(join(data, "first-token"), "utf8").trim());
  } finally {
    hub.kill("SIGTERM");
    await ended;
  }
}

async function visitAll(base: string, token: string): Promise<void> {
  const signedIn = await fetch(`${base}/sign-in`, {
    method: "POST",
    redirect: "manual",
    headers: { "sec-fetch-site": "same-origin" },
    body: new URLSearchParams({ token }),
  });
  const cookie = signedIn.headers.get("set-cookie")!.split(";")[0]!;
  const first = async (path: string) =>
    (await request(`${base}/v1${path}`, token, {}) as { data: { id: string; email?: string }[] }).data[0]!;
  const person = await first("/users?limit=1"), run = await first("/runs?limit=1");
  await untilFound(base, token, person.email!);
  const pages = [
    "",
    "/import",
    "/runs",
    "/runs?status=failed",
    `/runs/${run.id}`,
    `/runs/${run.id}/columns`,
    "/people",
    `/people?q=${encodeURIComponent(person.email!)}`,
    "/people?q=first",
    `/people/${person.id}`,
    `/explain?q=${encodeURIComponent(person.email!)}`,
    "/departments",
    "/connections",
    "/connections/csv",
    "/account",
    "/settings/organization",
    "/settings/members",
    "/settings/tokens",
    "/settings/webhooks",
    "/settings/audit",
  ].map((path) => `/o/default${path}`);
  console.log(`${people} people, ${runs} runs; milliseconds and kilobytes`);
  for (const path of ["/o", ...pages]) console.log(await visit(`${base}${path}`, path, cookie));
}

async function visit(url: string, path: string, cookie: string): Promise<string> {
  const took: number[] = [];
  let bytes = 0, status = 0;
  for (let n = 0; n < times; n++) {
    const asked = performance.now();
    const answer = await fetch(url, { headers: { cookie, accept: "text/html" } });
    bytes = (await answer.arrayBuffer()).byteLength;
    status = answer.status;
    took.push(performance.now() - asked);
  }
  const at = (share: number) => percentile(took, share).toFixed(1).padStart(8);
  return `${path.padEnd(60)} ${status}  p50 ${at(0.5)}  p99 ${at(0.99)}  ${(bytes / 1000).toFixed(0).padStart(4)} kB`;
}

/** The index of words is filled behind the import. */
async function untilFound(base: string, token: string, email: string): Promise<void> {
  for (const end = Date.now() + 600_000; Date.now() < end;) {
    const { data } = await request(`${base}/v1/users?q=${encodeURIComponent(email.split("@")[0]!)}`, token, {});
    if ((data as unknown[]).length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error("The index was not filled within ten minutes");
}
