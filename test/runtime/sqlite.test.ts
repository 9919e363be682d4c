/** One connection to a file: what goes in comes out, errors have names, and nothing of it can bring a process down. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { openSqlite, type SqliteFile } from "../../src/runtime/sqlite.ts";
import { startThread } from "../../src/runtime/threads/thread.ts";
import { isBusy, isFull } from "../../src/store/trouble.ts";
import { onlyInCheck } from "../support/rounds.ts";

async function withFolder(work: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "muster-sqlite-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withFile(work: (file: SqliteFile, url: string) => void): Promise<void> {
  return withFolder((folder) => {
    const url = `file:${join(folder, "a.db")}`;
    const file = openSqlite(url, ["journal_mode = wal", "synchronous = off"]);
    try {
      work(file, url);
    } finally {
      file.close();
    }
  });
}

test("values come back as what they were, and a row is an array of its columns, also of two with one name", () =>
  withFile((file) => {
    file.all("create table t (a, b, c, d, e, f, g)");
    const bytes = new Uint8Array([0, 1, 255]);
    const values = ["Zoë O'Hara 😀", 2 ** 53 - 1, -1.5, bytes, null, true, bytes.buffer];
    assert.deepEqual(file.all("insert into t values (?, ?, ?, ?, ?, ?, ?)", values), []);
    assert.deepEqual(file.all("select * from t"), [["Zoë O'Hara 😀", 2 ** 53 - 1, -1.5, bytes, null, 1, bytes]]);
    assert.deepEqual(file.all("select 1 as x, 2 as x"), [[1, 2]]);
  }));

test("a number that cannot be stored, or an integer that no number holds, is an error and not another number", () =>
  withFile((file) => {
    assert.throws(() => file.all("select ?", [NaN]), RangeError);
    assert.throws(() => file.all("select ?", [Infinity]), RangeError);
    assert.throws(() => file.all("select 9007199254740993"), RangeError);
    assert.throws(() => file.all("select ?", [undefined]), TypeError);
  }));

test("a batch is all or nothing, and says which of SQLite's rules it broke", () =>
  withFile((file) => {
    file.all("create table t (n integer primary key)");
    const insert = { text: "insert into t values (?)", values: [1] };
    assert.throws(() => file.batch([insert, insert]), { code: "SQLITE_CONSTRAINT", message: /UNIQUE.*t\.n/ });
    assert.deepEqual(file.all("select * from t"), []);
    assert.deepEqual(file.batch([insert, { text: "select n from t", values: [] }]), [[], [[1]]]);
    assert.throws(() => file.all("select nothing from t"), { code: "SQLITE_ERROR" });
  }));

test("another writer is told by the error's code, and once it is done the same statements work", () =>
  withFile((file, url) => {
    const other = openSqlite(url);
    file.all("create table t (n integer)");
    other.all("begin immediate");
    const insert = { text: "insert into t values (1)", values: [] };
    for (const attempt of [() => file.batch([insert]), () => file.all("insert into t values (1)")]) {
      assert.throws(attempt, (error) => isBusy(error) && !isFull(error));
    }
    assert.deepEqual(file.all("select * from t"), []);
    other.all("commit");
    file.batch([insert]);
    assert.deepEqual(other.all("select * from t"), [[1]]);
    other.close();
  }));

test("a file without room is told by the error's code, keeps what it had, and takes more once there is some", () =>
  withFile((file) => {
    file.all("create table t (n integer, body blob)");
    file.all("insert into t values (1, null)");
    file.all("pragma max_page_count = 20");
    const insert = { text: "insert into t values (?, ?)", values: [2, new Uint8Array(200_000)] };
    assert.throws(() => file.batch([{ ...insert, values: [3, null] }, insert]), (error) => isFull(error));
    assert.deepEqual(file.all("select n from t"), [[1]]);
    file.all("pragma max_page_count = 1000");
    file.batch([insert]);
    assert.deepEqual(file.all("select n from t"), [[1], [2]]);
  }));

test("a statement that was kept sees the tables as they are now, and more statements than are kept all work", () =>
  withFile((file, url) => {
    file.all("create table t (n integer)");
    file.all("insert into t values (1)");
    assert.deepEqual(file.all("select n from t"), [[1]]);
    const other = openSqlite(url);
    other.all("alter table t rename to old");
    other.all("create table t as select n + 1 as n, 'new' as m from old");
    other.close();
    assert.deepEqual(file.all("select n from t"), [[2]]);
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 500; n++) assert.deepEqual(file.all(`select ${n} + n from t`), [[n + 2]]);
    }
    assert.deepEqual(file.all("select n, m from t"), [[2, "new"]]);
  }));

test(
  "a kept statement holds on to no large value that it was given",
  { skip: onlyInCheck },
  () =>
    withFolder((folder) => {
      // In a process of its own: SQLite's memory is counted nowhere but in that of the whole process.
      const runtime = "Deno" in globalThis ? ["run", "-A", "--no-check"] : ["--disable-warning=ExperimentalWarning"];
      const child = fileURLToPath(new URL("./sqlite-memory.ts", import.meta.url));
      const length = 64 * 1024 * 1024;
      const said = spawnSync(process.execPath, [...runtime, child, join(folder, "a.db"), String(length)], {
        encoding: "utf8",
      });
      assert.equal(said.status, 0, said.stderr);
      const grown = Number(said.stdout);
      assert.ok(grown < 2 * length, `${grown} bytes more after five values of ${length}`);
    }),
);

test("many rows of one statement are stored in one go", () =>
  withFile((file) => {
    file.all("create table t (n integer primary key, s text)");
    file.bulk([{ into: "insert into t (n, s)", rows: Array.from({ length: 1000 }, (_, n) => [n, `row ${n}`]) }]);
    assert.deepEqual(file.all("select count(*), max(s) from t"), [[1000, "row 999"]]);
    assert.throws(() => file.bulk([{ into: "insert into t (n, s)", rows: [[1000, ""], [1, ""]] }]), {
      code: "SQLITE_CONSTRAINT",
    });
    file.bulk([{ into: "insert into t (n)", rows: [] }]);
    assert.deepEqual(file.all("select count(*) from t"), [[1000]]);
  }));

test("a closed connection leaves the file alone, without a log beside it, and can be closed again", () =>
  withFolder((folder) => {
    const file = openSqlite(`file:${join(folder, "a%20b.db")}`, ["journal_mode = wal"]);
    file.all("create table t (n integer)");
    assert.ok(existsSync(join(folder, "a b.db-wal")));
    file.close();
    file.close();
    assert.deepEqual(readdirSync(folder), ["a b.db"]);
    assert.throws(() => file.all("select * from t"));
    assert.throws(() => openSqlite(`file:${join(folder, "nowhere", "a.db")}`));
  }));

test(
  "a thousand connections that nobody closes, in threads that end, bring nothing down",
  { skip: onlyInCheck },
  () =>
    withFolder(async (folder) => {
      for (let round = 0; round < 5; round++) {
        const exits = Array.from({ length: 4 }, (_, n) => {
          const thread = startThread(new URL("./sqlite-thread.ts", import.meta.url), {
            folder,
            name: `${round}-${n}`,
            connections: 50,
          });
          return new Promise((resolve, reject) => thread.on("exit", resolve).on("error", reject));
        });
        assert.deepEqual(await Promise.all(exits), [0, 0, 0, 0]);
      }
      for (const name of readdirSync(folder).filter((name) => name.endsWith(".db"))) {
        const file = openSqlite(`file:${join(folder, name)}`);
        assert.deepEqual(file.all("select count(*) from t"), [[10]]);
        assert.deepEqual(file.all("pragma integrity_check"), [["ok"]]);
        file.close();
      }
    }),
);
