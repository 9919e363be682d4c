/** A process that gives a file five large values, one statement each, and says by how much its memory grew since the first. */
import process from "node:process";
import { openSqlite } from "../../src/runtime/sqlite.ts";

const file = openSqlite(`file:${process.argv[2]}`);
const large = "x".repeat(Number(process.argv[3]));
file.all("select length(?)", [large]);
const before = process.memoryUsage.rss();
for (let n = 0; n < 5; n++) file.all(`select length(?) + ${n}`, [large]);
console.log(process.memoryUsage.rss() - before);
file.close();
