/**
 * A hub that costs little to make and can be copied as it is, so that a law can try the same thing two ways.
 *
 * Its tables are made once per process, and filled from another file's. Everything goes the real way: drops are handed
 * in, runs are carried from the queue.
 */
import fc from "fast-check";
import { sql } from "drizzle-orm";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after } from "node:test";
import { fileEngine, migrateDatabase } from "../../src/runtime/database.ts";
import { openSqlite, type SqliteFile } from "../../src/runtime/sqlite.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { receiveDrop } from "../../src/runs/receive-drop.ts";
import type { Hub } from "../../src/hub.ts";
import { editUser, type UserPatch } from "../../src/http/api/user-patch.ts";
import { approveRun } from "../../src/runs/approve.ts";
import type { Coverage } from "../../src/model/record.ts";
import { runNext } from "../../src/runs/next.ts";
import { type ConnectionInput, createConnection, findConnection } from "../../src/store/connections/connections.ts";
import { loadCustomFields, putCustomField } from "../../src/store/people/custom-fields.ts";
import type { Database } from "../../src/store/database.ts";
import { createEngineDatabase } from "../../src/store/engine.ts";
import { createNoSecrets } from "../../src/security/secrets.ts";
import { createOrganization, findOrganizationNamed, type Organization } from "../../src/store/organizations.ts";
import { findRun, type Run } from "../../src/store/runs/runs.ts";
import type { Limits } from "../../src/model/guards.ts";
import type { Policy } from "../../src/model/policy.ts";
import { imageOf, writeUserEdit } from "../../src/store/people/user-edits.ts";
import { findUserIds } from "../../src/store/people/search.ts";
import { loadUsers } from "../../src/store/people/users.ts";
import { dateIn } from "../../src/std/time.ts";
import { seed } from "../support/chance.ts";
import { nowhere } from "../support/nowhere.ts";

/** In memory where the machine has a place for that. */
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "muster-laws-"));
const cleanUp = () => rmSync(folder, { recursive: true, force: true });
after(cleanUp);
// Without a test, as in `npm run fuzz`, there is nothing that this comes after.
process.once("exit", cleanUp);

const registry = createRegistry();
let template: Promise<string> | null = null;
let files = 0;

export interface Lab {
  readonly hub: Hub;
  readonly organization: Organization;
  readonly clock: { ms: number };
  /** The same hub once more, as it is now. */
  copy(): Promise<Lab>;
  /** Its database as a file for others; gives the path. */
  save(): Promise<string>;
  /** May be called again. */
  close(): void;
}

/** What decides how the two connections, `first` and `second`, behave. */
export interface Rules {
  readonly key: "employee_id" | "email" | "mobile_phone" | null;
  readonly policy: Policy;
  readonly limits: Limits;
}

/** Guards hold back most of what so few people can show. */
export const NO_GUARDS: Limits = Object.fromEntries(
  (["deactivate", "reactivate", "identity", "update", "create", "errors", "column"] as const).map((
    guard,
  ) => [guard, { enabled: false }]),
);

export const START = Date.UTC(2026, 2, 2, 8);

/** `second`: the rules of the other connection, unless they are the same. */
export async function createLab(first: Partial<Rules> = {}, second: Partial<Rules> = first): Promise<Lab> {
  const lab = await takeLab(await (template ??= createTemplate()), START);
  for (const [slug, rules] of Object.entries({ first, second })) {
    const input: ConnectionInput = {
      slug,
      name: slug,
      connector: "csv-upload",
      preset: null,
      settings: {},
      key: rules.key ?? null,
      mapping: {},
      policy: rules.policy ?? {},
      limits: rules.limits ?? NO_GUARDS,
    };
    await createConnection(lab.hub.db, lab.organization.id, input, START);
  }
  return lab;
}

async function createTemplate(): Promise<string> {
  const path = join(folder, "template.db");
  await migrateDatabase(`file:${path}`, null);
  const { db } = openFile(path, null);
  const { id } = await createOrganization(db, { slug: "default", name: "Default", timezone: "UTC" }, START);
  await putCustomField(db, id, {
    key: "badge",
    label: "Badge",
    type: "number",
    required: false,
    options: [],
    maxLength: null,
  }, START);
  db.close();
  return path;
}

interface OpenFile {
  readonly path: string;
  readonly file: SqliteFile;
  readonly db: Database;
}

/** Files that no lab uses now: filling one again costs less than making one. */
const free: OpenFile[] = [];

/** A lab that holds what the file at `source` holds. */
async function takeLab(source: string, ms: number): Promise<Lab> {
  const open = free.pop() ?? openFile(join(folder, `${files++}.db`), await template!);
  // The search index is filled by nobody here, and the tables behind it may not be written by hand.
  const tables = await open.db.rows<[string]>(sql`select name from sqlite_master where type = 'table'
    and name not like 'sqlite_%' and name not like 'user_words%'`);
  const statements = [
    // The audit lets go of what belongs to nobody.
    "delete from main.organizations",
    ...tables.map(([name]) => `delete from main.${name}`),
    ...tables.map(([name]) => `insert into main.${name} select * from source.${name}`),
  ];
  open.file.all("attach ? as source", [source]);
  open.file.batch(statements.map((text) => ({ text, values: [] })));
  open.file.all("detach source");
  return await createLabOn(open, ms, () => void free.push(open));
}

/** The database that others have written. */
export async function openLab(path: string, ms: number): Promise<Lab> {
  const open = openFile(path, null);
  return await createLabOn(open, ms, open.file.close);
}

function openFile(path: string, template: string | null): OpenFile {
  if (template !== null) copyFileSync(template, path);
  const file = openSqlite(`file:${path}`, ["synchronous = off", "journal_mode = memory"]);
  return { path, file, db: createEngineDatabase(fileEngine(file), { close: file.close }) };
}

async function createLabOn({ path, file, db }: OpenFile, ms: number, close: () => void): Promise<Lab> {
  const clock = { ms };
  let open = true;
  return {
    hub: {
      db,
      registry,
      secrets: createNoSecrets(),
      now: () => clock.ms,
      outbound: nowhere,
      publicUrl: "http://hub.example.com",
      retainDays: 30,
      wake: () => {},
      log: () => {},
    },
    organization: (await findOrganizationNamed(db, "default"))!,
    clock,
    copy: () => takeLab(path, clock.ms),
    save() {
      const other = join(folder, `saved-${files++}.db`);
      file.all("vacuum into ?", [other]);
      return Promise.resolve(other);
    },
    close() {
      if (open) close();
      open = false;
    },
  };
}

/** One input to send. */
export interface Handed {
  readonly connection: "first" | "second";
  readonly text: string;
  /** Of the file; not given: people.csv. */
  readonly name?: string;
  readonly coverage?: Coverage;
  readonly byHand?: boolean;
  readonly mode?: "auto" | "plan";
  readonly entity?: "users" | "departments";
}

export async function hand(lab: Lab, input: Handed): Promise<number> {
  const connection = (await findConnection(lab.hub.db, lab.organization.id, input.connection))!;
  const source = {
    name: input.name ?? "people.csv",
    contentType: "text/csv",
    mode: input.mode ?? "auto",
    entity: input.entity ?? null,
    coverage: input.coverage ?? null,
    byHand: input.byHand ?? false,
  } as const;
  const body = new Blob([input.text]).stream();
  return (await receiveDrop(lab.hub, connection, source, body)).runId;
}

/** Carries every run that can go on; an error of the hub is the law's. */
export async function carryAll(lab: Lab, options: { shortcut?: boolean } = {}): Promise<void> {
  const signal = new AbortController().signal;
  for (let runs = 0; runs < 50; runs++) {
    if (await runNext(lab.hub, { signal, owner: "law", rethrow: true, ...options }) === null) return;
  }
  throw new Error("The runs do not come to an end");
}

/** Sends an input and carries it to the end; returns its run. */
export async function run(lab: Lab, input: Handed, options: { shortcut?: boolean } = {}): Promise<Run> {
  const id = await hand(lab, input);
  await carryAll(lab, options);
  return await runOf(lab, id);
}

export async function runOf(lab: Lab, id: number): Promise<Run> {
  return (await findRun(lab.hub.db, lab.organization.id, id))!.run;
}

export async function approve(lab: Lab, run: Run, options: { shortcut?: boolean } = {}): Promise<Run> {
  await approveRun(lab.hub, lab.organization.id, run.id, run.planHash!);
  await carryAll(lab, options);
  return await runOf(lab, run.id);
}

/** Edits somebody by hand, as the API does; without such a user, or with a refused value, nothing changes. */
export async function editByHand(
  lab: Lab,
  employeeId: string,
  patch: UserPatch,
  manager?: string | null,
): Promise<void> {
  const { db } = lab.hub;
  const { ids } = await findUserIds(db, lab.organization.id, ANYBODY, { after: 0, limit: 1000 });
  const all = await loadUsers(db, lab.organization.id, ids);
  const found = all.find(({ user }) => user.employeeId === employeeId);
  const boss = all.find(({ user }) => user.employeeId === manager);
  const isNamed = manager !== undefined && manager !== null;
  if (found === undefined || (isNamed && (boss === undefined || boss === found))) return;
  try {
    const edit = editUser(imageOf(found.user), patch, {
      customFields: await loadCustomFields(db, lab.organization.id),
      requiredFields: lab.organization.requiredFields,
      today: dateIn("UTC", lab.clock.ms),
      departmentId: patch.department === null ? null : undefined,
      managerId: manager === null ? null : boss?.user.id,
    });
    if (edit !== null) await writeUserEdit(db, found.user, edit, lab.clock.ms);
  } catch {
    // An address that somebody else has, or a status against the date.
  }
}

const ANYBODY = {
  email: null,
  employeeId: null,
  status: null,
  departmentId: null,
  updatedSince: null,
  inactiveUntil: null,
  q: null,
};

/** Rows of a table as objects, in the order of their columns. */
export async function rowsOf(db: Database, table: string): Promise<Record<string, unknown>[]> {
  const names = await db.rows<[string]>(sql`select name from pragma_table_info(${table}) order by cid`);
  const rows = await db.rows(sql.raw(`select * from ${table}`));
  return rows.map((row) => Object.fromEntries(names.map(([name], index) => [name, row[index]])));
}

/**
 * Tries the law on this many worlds, says what was broken, and closes what it opened. LAWS_TIMES=10 tries ten times as
 * many and takes its time; with LAWS_TIMES=1, MUSTER_TEST_SEED plays again what a failure reported.
 */
export async function holds<T>(
  worlds: fc.Arbitrary<T>,
  numRuns: number,
  law: (world: T, open: (lab: Promise<Lab>) => Promise<Lab>) => Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(worlds, async (world) => {
    const labs: Lab[] = [];
    const open = async (lab: Promise<Lab>) => {
      labs.push(await lab);
      return labs.at(-1)!;
    };
    try {
      await law(world, open);
    } finally {
      for (const lab of labs) lab.close();
    }
  });
  await fc.assert(property, {
    numRuns: numRuns * Number(process.env.LAWS_TIMES ?? 1),
    includeErrorInReport: true,
    interruptAfterTimeLimit: process.env.LAWS_TIMES === undefined ? 30_000 : undefined,
    seed,
  });
}
