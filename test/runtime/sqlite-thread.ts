/** A thread that opens connections to files of its own, uses them, closes none, collects what it can, and ends. */
import { join } from "node:path";
import process from "node:process";
import { workerData } from "node:worker_threads";
import { openSqlite } from "../../src/runtime/sqlite.ts";
import { collect } from "../support/memory.ts";

const { folder, name, connections } = workerData as { folder: string; name: string; connections: number };

for (let n = 0; n < connections; n++) {
  const file = openSqlite(`file:${join(folder, `${name}-${n % 5}.db`)}`, ["journal_mode = wal", "synchronous = off"]);
  file.all("create table if not exists t (n integer, body blob)");
  file.batch([
    { text: "insert into t values (?, ?)", values: [n, new Uint8Array(20_000)] },
    { text: "select count(*) from t where n <= ?", values: [n] },
  ]);
  if (n % 25 === 0) collect();
}
collect();
process.exit(0);
