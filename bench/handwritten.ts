/**
 * The importer that a team writes by hand: PapaParse, one upsert per row, transactions of a thousand.
 *
 * `deno run -A bench/handwritten.ts FILE DATABASE`, on a database that has the hub's tables. It keeps departments and
 * managers right, and neither plans nor validates nor tells anybody anything.
 */
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/sqlite-proxy";
import { createReadStream } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import Papa from "papaparse";
import { departments, users } from "../src/store/people/schema.ts";

const ORGANIZATION = 1;
const ROWS_PER_TRANSACTION = 1000;

const [file, database] = process.argv.slice(2);
const client = new DatabaseSync(database!);
client.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -262144;");
const prepared = new Map<string, StatementSync>();
// drizzle has no driver of its own for the runtime's SQLite; its statements are kept, as one that had would keep them.
const db = drizzle((text, values, method) => {
  let statement = prepared.get(text);
  if (statement === undefined) {
    statement = client.prepare(text);
    statement.setReturnArrays(true);
    prepared.set(text, statement);
  }
  const rows = statement.all(...values) as unknown as unknown[][];
  return Promise.resolve({ rows: method === "get" ? rows[0]! : rows });
});
type Transaction = Parameters<Parameters<typeof db.transaction>[0]>[0];

const userIds = new Map<string, number>();
for (const user of await db.select({ id: users.id, employeeId: users.employeeId }).from(users)) {
  userIds.set(user.employeeId!, user.id);
}
const departmentIds = new Map<string, number>();
for (const department of await db.select().from(departments)) departmentIds.set(department.folded, department.id);
const waiting: { userId: number; managerId: string }[] = [];

// Decoded before PapaParse sees it: given bytes, it breaks a character that two chunks share.
const text = createReadStream(file!, { encoding: "utf8" });
const rows = text.pipe(Papa.parse(Papa.NODE_STREAM_INPUT, { header: true, skipEmptyLines: true }));
let read = 0;
for await (const batch of batches<Record<string, string>>(rows)) {
  await db.transaction(async (tx) => {
    for (const row of batch) await upsert(tx, row);
  });
  read += batch.length;
}
for await (const batch of batches(waiting)) {
  await db.transaction(async (tx) => {
    for (const { userId, managerId } of batch) {
      await tx.update(users).set({ managerId: userIds.get(managerId) ?? null }).where(eq(users.id, userId));
    }
  });
}
client.close();
console.log(JSON.stringify({ read }));

async function upsert(tx: Transaction, row: Record<string, string>): Promise<void> {
  const manager = row.manager_id === "" ? null : userIds.get(row.manager_id!);
  const now = Date.now();
  const values = {
    email: row.email!.trim().toLowerCase() || null,
    firstName: row.first_name!.trim() || null,
    lastName: row.last_name!.trim() || null,
    preferredName: row.preferred_name!.trim() || null,
    title: row.title!.trim() || null,
    departmentId: await departmentId(tx, row.department_name!.trim(), now),
    managerId: manager ?? null,
    location: row.location!.trim() || null,
    phone: row.phone!.trim() || null,
    hireDate: row.hire_date!.trim() || null,
    employmentStatus: row.employment_status!.trim() || null,
    status: "active" as const,
    updatedAt: now,
  };
  const [user] = await tx.insert(users).values({
    organizationId: ORGANIZATION,
    employeeId: row.employee_id!,
    createdAt: now,
    ...values,
  }).onConflictDoUpdate({
    target: [users.organizationId, users.employeeId],
    targetWhere: sql`employee_id is not null`,
    set: values,
  }).returning({ id: users.id });
  userIds.set(row.employee_id!, user!.id);
  if (manager === undefined) waiting.push({ userId: user!.id, managerId: row.manager_id! });
}

async function departmentId(tx: Transaction, name: string, now: number): Promise<number | null> {
  if (name === "") return null;
  const folded = name.toLowerCase();
  const known = departmentIds.get(folded);
  if (known !== undefined) return known;
  const [made] = await tx.insert(departments)
    .values({ organizationId: ORGANIZATION, name, folded, createdAt: now, updatedAt: now })
    .returning({ id: departments.id });
  departmentIds.set(folded, made!.id);
  return made!.id;
}

async function* batches<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === ROWS_PER_TRANSACTION) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
