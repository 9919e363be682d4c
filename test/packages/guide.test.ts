/** "Your first connector", followed word for word: only the source, the folder and the hub's address are the test's. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { createTokenText } from "../../src/security/token.ts";
import { createAuthority, WITHOUT_OPENSSL } from "../support/certificates.ts";
import { BIN, run } from "../support/installed-packages.ts";
import { startRegistry } from "../support/registry.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { startServing } from "../support/serve.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SECRET = "the-token-of-the-source";
const PEOPLE = ["Ana Sol", "Bo Lund", "Cy Wang"].map((name, i) => {
  const [first, last] = name.split(" ");
  return { id: String(i + 1), mail: `${first!.toLowerCase()}@example.com`, first, last, job: "Clerk" };
});

/** The commands of the page, block by block. */
async function commands(): Promise<string[]> {
  const page = await readFile(join(ROOT, "docs/first-connector.md"), "utf8");
  return [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block!);
}

/** Follows a command that ends by Ctrl-C, once it has shown everybody. */
async function watchUntil(typed: string[], shownOf: (person: (typeof PEOPLE)[number]) => string): Promise<void> {
  const env = { ...process.env, PATH: [BIN, process.env.PATH ?? ""].join(delimiter), NO_COLOR: "1" };
  // A group of its own, as on a terminal: Ctrl-C is for npm and for all that it started.
  const watching = spawn("sh", typed, { cwd: ROOT, env, detached: true });
  let out = "";
  watching.stdout.setEncoding("utf8").on("data", (text) => out += text);
  watching.stderr.setEncoding("utf8").on("data", (text) => out += text);
  const ended = new Promise<void>((resolve) => watching.once("exit", () => resolve()));
  try {
    for (const end = Date.now() + 120_000; !PEOPLE.every((person) => out.includes(shownOf(person)));) {
      assert.ok(Date.now() < end && watching.exitCode === null, out);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    if (watching.exitCode === null) process.kill(-watching.pid!, "SIGINT");
    await ended;
  }
}

test(
  "the page leads from an empty folder to people in a hub",
  { skip: onlyInCheckOnDeno || WITHOUT_OPENSSL },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "muster-guide-")), authority = createAuthority();
    const registry = await startRegistry(), token = createTokenText();
    const source = createServer(authority.vouchFor("127.0.0.1"), (request, response) => {
      const page = Number(new URL(request.url!, "https://source").searchParams.get("page"));
      if (request.headers.authorization !== `Bearer ${SECRET}`) return void response.writeHead(401).end();
      response.end(JSON.stringify({ page, pages: 2, people: PEOPLE.slice((page - 1) * 2, page * 2) }));
    });
    await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
    const host = `127.0.0.1:${(source.address() as AddressInfo).port}`;
    const env = {
      MUSTER_DATA_DIR: join(folder, "data"),
      MUSTER_ALLOW_HOSTS: "127.0.0.0/8",
      MUSTER_ADMIN_TOKEN: token,
      MUSTER_SECRET_token: SECRET,
      MUSTER_SECRET_TOKEN: SECRET,
      NODE_EXTRA_CA_CERTS: authority.file,
      npm_config_registry: registry.url,
      npm_config_cache: join(folder, "cache"),
      TOKEN: token,
    };
    let url = "http://127.0.0.1:8787";
    const asTyped = (block: string) => {
      const here = block.replaceAll("../acme-people", join(folder, "acme-people")).replaceAll("hr.example.com", host)
        .replaceAll("http://127.0.0.1:8787", url).replaceAll('"…"', `"${SECRET}"`);
      const given = Object.entries(env).map(([name, value]) => `export ${name}='${value}'`).join("\n");
      return ["-ec", `${given}\n${here}`];
    };
    const follow = (block: string) => run("sh", asTyped(block), ROOT);
    try {
      const [make, check, dryRun, dev, record, add, use, ...rest] = await commands();
      assert.deepEqual(rest, []);
      assert.match(await follow(make!), /pass/);
      assert.match(await follow(check!), /A hub can use it[\s\S]*Its tests pass/);
      const shown = await follow(dryRun!);
      for (const { mail } of PEOPLE) assert.ok(shown.includes(mail), shown);
      await watchUntil(asTyped(dev!), ({ mail }) => mail);
      await follow(record!);
      const tape = await readFile(join(folder, "acme-people", "tapes", "acme-people.json"), "utf8");
      for (const { mail } of PEOPLE) assert.ok(!tape.includes(mail), tape);
      assert.match(await follow(add!), /acme-people/);
      const hub = await startServing(env);
      try {
        url = hub.url;
        await follow(use!);
        const headers = { authorization: `Bearer ${token}` };
        let names: string[] = [];
        for (const end = Date.now() + 60_000; names.length < 3 && Date.now() < end;) {
          const { data } = await (await fetch(`${url}/v1/users`, { headers })).json();
          names = data.map(({ email }: { email: string }) => email);
          await new Promise((resolve) => setTimeout(resolve, 200));
        }
        assert.deepEqual(names.toSorted(), PEOPLE.map(({ mail }) => mail));
      } finally {
        await hub.stop();
      }
    } finally {
      source.closeAllConnections();
      source.close();
      authority.remove();
      await registry.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
);
