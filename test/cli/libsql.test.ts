/** Starts and commands with a database on a libSQL server that fails now and then. */
import assert from "node:assert/strict";
import { type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { DatabaseSync } from "node:sqlite";
import { createMasterKeyText } from "../../src/security/secrets.ts";
import { type LibsqlServer, startLibsqlServer } from "../support/libsql-server.ts";
import { onlyInCheck } from "../support/rounds.ts";
import { startCommand, startServing } from "../support/serve.ts";

const TOKEN = "the server's token";
/** What SQL or a stack would look like. */
const TECHNICAL = /Failed query|select |insert |^\s+at .*:\d+|params:/im;

interface Scene {
  readonly server: LibsqlServer;
  readonly dir: string;
  /** With a data directory of its own for each process. */
  env(name: string): Record<string, string>;
  count(sql: string): number;
}

async function scene(work: (scene: Scene) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "muster-libsql-"));
  const file = join(dir, "server.db");
  const server = await startLibsqlServer(file, TOKEN);
  const key = createMasterKeyText();
  try {
    await work({
      server,
      dir,
      env: (name) => ({
        DATABASE_URL: server.url,
        DATABASE_AUTH_TOKEN: TOKEN,
        MUSTER_MASTER_KEY: key,
        MUSTER_DATA_DIR: join(dir, name),
      }),
      count(sql) {
        const database = new DatabaseSync(file, { readOnly: true });
        try {
          return Number(Object.values(database.prepare(sql).get()!)[0]);
        } finally {
          database.close();
        }
      },
    });
  } finally {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let out = "", err = "";
  child.stdout!.on("data", (data) => out += data);
  child.stderr!.on("data", (data) => err += data);
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, out, err };
}

test(
  "three first starts at once on one server all serve",
  { skip: onlyInCheck },
  () =>
    scene(async ({ env, count, server }) => {
      const hubs = await Promise.all(["one", "two", "three"].map((name) => startServing(env(name))));
      for (const hub of hubs) assert.equal((await fetch(`${hub.url}/readyz`)).status, 200);
      assert.equal(count("select count(*) from organizations"), 1);
      await server.down();
      const answer = await fetch(`${hubs[0]!.url}/readyz`);
      assert.equal(answer.status, 503);
      assert.match(
        (await answer.json()).detail,
        /^The database at 127\.0\.0\.1:\d+ cannot be reached, as nothing listens/,
      );
      await server.up();
      assert.deepEqual(await Promise.all(hubs.map((hub) => hub.stop())), [0, 0, 0]);
      for (const hub of hubs) assert.doesNotMatch(hub.said().err, TECHNICAL);
    }),
);

test(
  "a wrong token or database is named in one sentence, with the exit code 2",
  { skip: onlyInCheck },
  () =>
    scene(async ({ env, server }) => {
      const cases: [Record<string, string>, RegExp][] = [
        [{ DATABASE_AUTH_TOKEN: "another" }, /^The database at \S+ refused the token: correct DATABASE_AUTH_TOKEN\n$/],
        [
          { DATABASE_URL: `${server.url}/other/` },
          /^The server at \S+ has no database of that name: correct DATABASE_URL\n$/,
        ],
      ];
      for (const [wrong, sentence] of cases) {
        const { code, err, out } = await ended(startCommand(["token", "create", "--scopes", "runs:read"], {
          ...env("one"),
          ...wrong,
        }));
        assert.deepEqual([code, out], [2, ""]);
        assert.match(err, sentence);
      }
    }),
);

test("a command waits with a word for a server that is away, and makes a token once although the answer is lost", () =>
  scene(async ({ env, count, server }) => {
    server.fail(502, { when: ({ texts }) => texts.some((text) => /sqlite_master/.test(text)), times: 2 });
    server.fail("lost", { when: ({ texts }) => texts.some((text) => /insert into "tokens"/i.test(text)) });
    const { code, out, err } = await ended(startCommand(["token", "create", "--scopes", "runs:read"], env("one")));
    assert.deepEqual([code, count("select count(*) from tokens")], [0, 1], err);
    assert.match(out, /^\S+\n$/);
    assert.equal(
      err.match(/^The database at \S+ failed with the status 502: .*; trying again for a while$/gm)?.length,
      1,
    );
    assert.doesNotMatch(err, TECHNICAL);
  }));

test(
  "an import goes on where an answer was lost",
  { skip: onlyInCheck },
  () =>
    scene(async ({ dir, env, count, server }) => {
      const file = join(dir, "people.csv");
      writeFileSync(file, "employee_id,email,first_name,last_name\nE1,ana@acme.test,Ana,Lee\n");
      server.fail("lost", { when: ({ texts }) => texts.some((text) => /insert into "?change_pages/i.test(text)) });
      server.fail("cut", {
        when: ({ texts }) => texts.some((text) => /update change_pages set applied_at/i.test(text)),
      });
      const { code, err } = await ended(startCommand(["import", file], env("one")));
      assert.deepEqual([code, count("select count(*) from users")], [0, 1], err);
      assert.match(err, /broke off before its answer: check the server and the way to it; trying again for a while/);
      assert.doesNotMatch(err, TECHNICAL);
    }),
);
