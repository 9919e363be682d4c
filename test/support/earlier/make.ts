/**
 * Makes a database of an earlier version, by that version's own code, for test/cli/upgrade.test.ts:
 *
 *   git archive COMMIT | tar x -C FOLDER && ln -s "$PWD/node_modules" FOLDER/node_modules
 *   deno run -A test/support/earlier/make.ts FOLDER NAME
 *
 * That version imports files of a thousand people, later ones, and one with mistakes; makes another organization and a token;
 * and, where it has webhooks, sends them to a receiver. The file is stored packed, as NAME.db.gz beside this script.
 *
 * - `first` is of 739604fa, the first version whose tables can be brought up to date: two migrations, no webhooks yet.
 * - `webhooks` is of 4ebf3aec, the first such version with webhooks and an audit: six migrations.
 *
 * Both are of before the first release. Whoever adds a later one should keep these.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { startReceiver } from "../receiver.ts";
import { ADMIN, BY_HAND, EARLIER_KEY, firstPeople, mistakes, SEAMED, secondPeople } from "./people.ts";

const [folder, name] = process.argv.slice(2) as [string, string];
const data = mkdtempSync(join(tmpdir(), "muster-earlier-"));
const env = {
  ...process.env,
  PORT: "0",
  MUSTER_DATA_DIR: data,
  MUSTER_ADMIN_TOKEN: ADMIN,
  ...(name === "webhooks" ? { MUSTER_MASTER_KEY: EARLIER_KEY, MUSTER_ALLOW_HOSTS: "127.0.0.0/8" } : {}),
};
const ENTRY = ["run", "-A", "--no-check", "src/deno.ts"];

function command(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync("deno", [...ENTRY, ...args], { cwd: folder, env, encoding: "utf8" });
  console.log(`muster ${args.join(" ")}: ${status} ${stdout.trim().split("\n").at(-1)} ${stderr.trim()}`);
}

function importing(text: string, ...args: string[]): void {
  const file = join(data, "people.csv");
  writeFileSync(file, text);
  command("import", file, ...args);
  rmSync(file);
}

importing(firstPeople());
importing(secondPeople());
importing(mistakes(), "--coverage", "diff");
command("org", "create", "--slug", SEAMED, "--name", "Seamed");
importing(firstPeople("seamed.test", 20), "--organization", SEAMED);
command("token", "create", "--scopes", "users:read,runs:read", "--name", "reader");
if (name === "webhooks") await sendWebhooks();

const path = join(data, "packed.db");
const database = new DatabaseSync(join(data, "muster.db"));
database.exec("pragma wal_checkpoint(truncate)");
database.exec(`vacuum into '${path}'`);
database.close();
writeFileSync(fileURLToPath(new URL(`${name}.db.gz`, import.meta.url)), gzipSync(readFileSync(path), { level: 9 }));
rmSync(data, { recursive: true });
process.exit(0);

/** Serves, makes an endpoint, and changes a person, so that a webhook goes out. */
async function sendWebhooks(): Promise<void> {
  const receiver = await startReceiver();
  const child = spawn("deno", [...ENTRY, "serve"], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  const url = await new Promise<string>((resolve) =>
    child.stdout.on("data", (said) => {
      const found = /Muster is at (http:\S+)/.exec(String(said));
      if (found !== null) resolve(found[1]!);
    })
  );
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    console.log(method, path, answer.status);
    return await answer.json();
  };
  const made = await ask("POST", "/v1/webhook-endpoints", { url: receiver.url, description: "the earlier receiver" });
  const { data: users } = await ask("GET", "/v1/users?limit=1");
  await ask("PATCH", `/v1/users/${users[0].id}`, { title: BY_HAND });
  await ask("POST", `/v1/webhook-endpoints/${made.id}/test`);
  await receiver.has(1, 60_000);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.kill("SIGTERM");
  await ended;
  await receiver.close();
}
