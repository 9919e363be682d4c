/**
 * An organization to import into: Muster's own connectors, the API as the only way in and out, and runs that are carried
 * when a test says so. What tests of the domain's rules have in common.
 */
import assert from "node:assert/strict";
import { sql } from "drizzle-orm";
import { createRegistry } from "../../src/runtime/registry.ts";
import type { Hub } from "../../src/hub.ts";
import { decodeId } from "../../src/model/id.ts";
import { runFetcher } from "../../src/sources/fetcher.ts";
import { runNext } from "../../src/runs/next.ts";
import type { RunOptions } from "../../src/runs/stage.ts";
import type { ChangeView } from "../../src/model/change.ts";
import type { IssueView } from "../../src/model/issue.ts";
import type { RunView } from "../../src/model/run.ts";
import { tick } from "../../src/upkeep/tick.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub, type TestHubOptions } from "./hub.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export interface ImportOptions {
  /** Slug; `csv` unless said. */
  readonly connection?: string;
  readonly entity?: "users" | "departments";
  readonly coverage?: "full" | "diff";
  readonly mode?: "auto" | "plan";
  readonly by_hand?: "true";
  readonly name?: string;
  readonly type?: string;
}

/** A file as text or as bytes. */
export type Content = string | Uint8Array<ArrayBuffer>;

/** A run with everything it found out. */
export interface Outcome extends RunView {
  readonly issues: readonly IssueView[];
  readonly changes: readonly ChangeView[];
}

/** What tests look at of a user, as the API shows it. */
export interface Person {
  readonly id: string;
  readonly employee_id: string | null;
  readonly email: string | null;
  readonly first_name: string | null;
  readonly last_name: string | null;
  readonly title: string | null;
  readonly location: string | null;
  readonly phone: string | null;
  readonly mobile_phone: string | null;
  readonly hire_date: string | null;
  readonly deactivation_date: string | null;
  readonly on_leave: boolean;
  readonly status: "active" | "inactive";
  readonly department: { readonly id: string; readonly name: string } | null;
  readonly manager: { readonly id: string; readonly employee_id: string | null; readonly email: string | null } | null;
  readonly custom: Readonly<Record<string, unknown>>;
  readonly edited_by_hand: readonly string[];
  readonly sources: readonly { connection_id: string; source_key: string; missing_since: string | null }[];
  readonly version: number;
}

export interface Importing {
  readonly hub: TestHub;
  readonly ask: Ask;
  /** Hands a file in; its run waits. Gives the run's id. */
  handIn(content: Content, options?: ImportOptions): Promise<string>;
  /** Carries every run that can go on, also after its pauses between attempts; `as` is the hub itself unless said. */
  carry(options?: Partial<RunOptions>, as?: Hub): Promise<void>;
  /** Reads the sources of all runs that wait for it, without waiting between attempts. Gives the waits there would have been. */
  fetch(as?: Hub): Promise<number[]>;
  /** Asks for a run of a connection that is fetched, and carries it to its end. */
  sync(slug: string, mode?: "auto" | "plan"): Promise<Outcome>;
  /** The run as it is now. */
  run(id: string): Promise<Outcome>;
  /** Hands a file in and carries its run. */
  import(content: Content, options?: ImportOptions): Promise<Outcome>;
  /** All runs, the oldest first. */
  runs(): Promise<RunView[]>;
  people(): Promise<Person[]>;
  /** By employee_id or email; fails when there is not exactly one. */
  person(name: string): Promise<Person>;
  departments(): Promise<{ id: string; name: string; active: boolean; parent: string | null }[]>;
  edit(person: Person, patch: object): Promise<Person>;
  connect(slug: string, input?: object): Promise<void>;
  /** Changes policy, limits or the like of a connection. */
  set(slug: string, changes: object): Promise<void>;
  /** Status and body of a POST. */
  // deno-lint-ignore no-explicit-any
  post(path: string, json?: unknown): Promise<{ status: number; body: any }>;
  failures(run: RunView): Promise<string>;
  later(ms: number): void;
  tick(): Promise<void>;
  /** The number in the database behind a public id. */
  number(prefix: "run" | "usr" | "con", id: string): number;
}

/** A hub with the organization `default`, whose connections are `csv` and `api`; closed afterwards. */
export async function importing(
  work: (world: Importing) => Promise<void>,
  options: TestHubOptions = {},
): Promise<void> {
  const hub = await createTestHub({ ...options, registry: options.registry ?? createRegistry() });
  try {
    await work(createImporting(hub, createAsk(hub, await createTestToken(hub))));
  } finally {
    hub.close();
  }
}

function createImporting(hub: TestHub, ask: Ask): Importing {
  const signal = new AbortController().signal;

  // deno-lint-ignore no-explicit-any
  async function read(path: string): Promise<any> {
    const answer = await ask(path);
    assert.equal(answer.status, 200, `${path}: ${answer.status}`);
    return await answer.json();
  }

  async function list<T>(path: string): Promise<T[]> {
    const all: T[] = [];
    for (let cursor: string | null = "";;) {
      const { data, next_cursor }: { data: T[]; next_cursor: string | null } = await read(
        `${path}${path.includes("?") ? "&" : "?"}limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      all.push(...data);
      if (next_cursor === null) return all;
      cursor = next_cursor;
    }
  }

  const world: Importing = {
    hub,
    ask,
    async handIn(content, { connection = "csv", name = "people.csv", type = "text/csv", ...said } = {}) {
      const query = new URLSearchParams({ name, ...said });
      const answer = await ask(`/v1/connections/${connection}/drops?${query}`, {
        body: content,
        headers: { "content-type": type },
      });
      const body = await answer.json();
      assert.equal(answer.status, 202, JSON.stringify(body));
      return body.run.id;
    },
    async carry(more, as = hub) {
      for (let until: number | null = hub.clock.ms; until !== null; until = await endOfPause(hub)) {
        hub.clock.ms = until;
        while (await runNext(as, { signal, owner: "test", rethrow: true, ...more }) !== null);
      }
    },
    async fetch(as = hub) {
      const waits: number[] = [];
      await runFetcher(as, {
        signal,
        owner: "test",
        lookEveryMs: 5,
        untilIdle: true,
        wait: (ms) => Promise.resolve(void waits.push(ms)),
      });
      return waits;
    },
    async sync(slug, mode = "auto") {
      const { status, body } = await world.post(`/v1/connections/${slug}/runs`, { mode });
      assert.equal(status, 202, JSON.stringify(body));
      await world.fetch();
      await world.carry();
      return await world.run(body.run.id);
    },
    async run(id) {
      return {
        ...await read(`/v1/runs/${id}`),
        issues: await list<IssueView>(`/v1/runs/${id}/issues`),
        changes: await list<ChangeView>(`/v1/runs/${id}/changes`),
      };
    },
    async import(content, said) {
      const id = await world.handIn(content, said);
      await world.carry();
      return await world.run(id);
    },
    runs: async () => (await list<RunView>("/v1/runs")).reverse(),
    people: () => list<Person>("/v1/users"),
    async person(name) {
      const found = (await world.people()).filter((each) => each.employee_id === name || each.email === name);
      assert.equal(found.length, 1, `people called "${name}": ${found.length}`);
      return found[0]!;
    },
    async departments() {
      // deno-lint-ignore no-explicit-any
      const all = await list<any>("/v1/departments");
      return all.map((each) => ({
        id: each.id,
        name: each.name,
        active: each.is_active ?? each.active ?? each.status === "active",
        parent: each.parent?.name ?? null,
      }));
    },
    async edit({ id }, patch) {
      const answer = await ask(`/v1/users/${id}`, { method: "PATCH", json: patch });
      const body = await answer.json();
      assert.equal(answer.status, 200, JSON.stringify(body));
      return body;
    },
    async connect(slug, input = {}) {
      const answer = await ask("/v1/connections", { json: { connector: "csv-upload", name: slug, slug, ...input } });
      assert.equal(answer.status, 201, await answer.text());
      hub.clock.ms += 1000;
    },
    async set(slug, changes) {
      const answer = await ask(`/v1/connections/${slug}`, { method: "PATCH", json: changes });
      assert.equal(answer.status, 200, await answer.text());
    },
    async post(path, json) {
      const answer = await ask(path, { method: "POST", ...(json === undefined ? {} : { json }) });
      return { status: answer.status, body: await answer.json() };
    },
    failures: async ({ id }) => await (await ask(`/v1/runs/${id}/failures.csv`)).text(),
    later: (ms) => void (hub.clock.ms += ms),
    tick: () => tick(hub),
    number: (prefix, id) => decodeId(prefix, id)!,
  };
  return world;
}

/** When the first of the runs goes on that pause after a failed attempt; null: none does. */
async function endOfPause({ db, now }: TestHub): Promise<number | null> {
  const [row] = await db.rows<[number | null]>(sql`select min(pause ->> '$.until') from runs
    where status in ('queued', 'planning', 'applying') and pause ->> '$.until' > ${now()}`);
  return row![0];
}

/** Cells to a file: header first, each line with its end. */
export function csv(...lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** `line code` of each issue, in order. */
export function said(run: Outcome): string[] {
  return run.issues.map(({ line, code }) => `${line ?? "-"} ${code}`);
}

/** `n` lines of people with employee_id, email, first and last name, from number `from` on. */
export function crowd(n: number, from = 1, more: (i: number) => string = () => ""): string[] {
  return Array.from({ length: n }, (_, i) => {
    const id = String(from + i).padStart(4, "0");
    return `E${id},p${id}@acme.test,First${id},Last${id}${more(from + i)}`;
  });
}

export const HEADER = "employee_id,email,first_name,last_name";

/** Sum of the counts that every row is in exactly once. */
export function rowsCounted({ counts }: RunView): number {
  return counts.created + counts.updated + counts.unchanged + counts.deactivated + counts.reactivated +
    counts.skipped + counts.failed;
}
