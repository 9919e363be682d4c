/**
 * A process that upgrades the connection `hr` of a file, or takes its upgrade back, and never gets behind the given number
 * of statements of that batch.
 */
import process from "node:process";
import { sql } from "drizzle-orm";
import { openDatabase } from "../../src/runtime/database.ts";
import type { Database } from "../../src/store/database.ts";
import { findConnection } from "../../src/store/connections/connections.ts";
import { findFormer, undoUpgrade, upgradeConnection } from "../../src/store/connections/upgrades.ts";

const [path, at] = [process.argv[2]!, Number(process.argv[3])];
const { db } = await openDatabase({ url: `file:${path}`, authToken: null, role: "alone" });
/** Counts until it is killed. */
const endless = db.run(
  sql`update connections set name = (with recursive n (i) as (select 1 union all select i + 1 from n)
  select count(*) from n)`,
);
const stuck: Database = {
  ...db,
  write(statements) {
    console.log("writes");
    return db.write([...statements.slice(0, at), endless, ...statements.slice(at)]);
  },
};
const connection = (await findConnection(db, 1, "hr"))!;
const former = await findFormer(db, connection);
const renamed = { token: "api_key" };
const [from, to] = former === null ? ["token", "api_key"] : ["api_key", "token"];
const secrets = [{ name: from!, sealed: null }, { name: to!, sealed: "sealed" }];
if (former === null) {
  const next = { version: "2.0.0", digest: "d2", settings: { address: "127.0.0.1:1" }, secrets };
  await upgradeConnection(stuck, connection, next, renamed, Date.now());
} else {
  await undoUpgrade(stuck, connection, former, secrets, Date.now());
}
