/** The door for Workers in this process, with D1 over a database of this process's. One hub for each test file. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { migrateDatabase } from "../../src/runtime/database.ts";
import worker from "../../src/worker.ts";
import { fakeD1 } from "./d1.ts";

export interface Scene {
  /** The worker's answer; what goes on behind it has ended by then. */
  ask(path: string, variables: Record<string, string>, init?: RequestInit): Promise<Response>;
  /** What it has logged so far. */
  lines(): Record<string, unknown>[];
  count(table: string): number;
  /** Where D1 would be, as this process reads it. */
  readonly database: DatabaseSync;
}

export async function onWorkers(work: (scene: Scene) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-worker-"));
  const file = join(dir, "d1.db");
  await migrateDatabase(`file:${file}`, null);
  const database = new DatabaseSync(file);
  const written: string[] = [];
  const { log } = console;
  try {
    console.log = (line: string) => void written.push(line);
    await work({
      database,
      async ask(path, variables, init) {
        const behind: Promise<unknown>[] = [];
        const context = { waitUntil: (promise: Promise<unknown>) => void behind.push(promise) };
        const request = new Request(`https://muster.example.com${path}`, init);
        const answer = await worker.fetch(request, { DB: fakeD1(database), ...variables }, context);
        for (const promise of behind) await promise;
        return answer;
      },
      lines: () => written.map((line) => JSON.parse(line)),
      count: (table) => Number(database.prepare(`select count(*) as n from ${table}`).get()!.n),
    });
  } finally {
    console.log = log;
    database.close();
    await rm(dir, { recursive: true, force: true });
  }
}
