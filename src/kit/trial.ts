/**
 * Tries a connector without a hub: the hub's own pipeline on an empty database of its own, with one organization and one
 * connection. What it finds is what a hub would: the same fetch, normalize, validation, matching and plan.
 *
 * The guards are off, because everybody is new in an empty database.
 */
import { createApp } from "../http/app.ts";
import type { Hub, Installed } from "../hub.ts";
import type { ChangeView } from "../model/change.ts";
import { Fault } from "../model/errors.ts";
import { DEFAULT_GUARDS } from "../model/guards.ts";
import { decodeId } from "../model/id.ts";
import type { IssueView } from "../model/issue.ts";
import type { Policy } from "../model/policy.ts";
import type { Entity } from "../model/record.ts";
import type { RunStatus, RunView } from "../model/run.ts";
import { runNext } from "../runs/next.ts";
import type { Outbound } from "../security/outbound.ts";
import { createMasterKeyText, createSecrets } from "../security/secrets.ts";
import { createTokenText, hashToken } from "../security/token.ts";
import { runFetcher } from "../sources/fetcher.ts";
import { sleep } from "../std/sleep.ts";
import { createOrganization, type Organization } from "../store/organizations.ts";
import { listIssueRows } from "../store/runs/issues.ts";
import { createToken } from "../store/tokens.ts";
import { openScratch } from "./scratch.ts";
import { noNotes, type Notes, spiedConnector, spiedOutbound } from "./spied.ts";

export interface TrialOptions {
  readonly connector: Installed;
  /** As a connection has them. */
  readonly settings?: unknown;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly outbound: Outbound;
  /** Milliseconds since 1970; Date.now by default. */
  readonly now?: () => number;
  readonly mapping?: Readonly<Record<string, string | null>>;
  readonly policy?: Policy;
  /** Waits between attempts at the source; by default two seconds at most, as somebody looks on. */
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A file for a connector that takes them. */
export interface TrialDrop {
  readonly name: string;
  readonly contentType?: string;
  readonly content: string | Uint8Array<ArrayBuffer>;
}

export interface TrialRunOptions {
  /** `plan`: nothing is applied. `auto`: the people are in the trial's hub for its next run. */
  readonly mode: "plan" | "auto";
  /** `checkpoint.last`; by default, of the trial's run before, if it was applied. */
  readonly last?: unknown;
  /** How many records of each entity are read; all by default. */
  readonly limit?: number;
  /** The only entity that is read; by default, all that the connector brings. */
  readonly entity?: Entity;
  /** Needed by a connector that takes drops. */
  readonly drop?: TrialDrop;
  readonly signal?: AbortSignal;
}

export interface TrialIssue extends IssueView {
  readonly entity: Entity;
  /** Where the source gave the record; null: not known, or not about one. */
  readonly origin: string | null;
}

export interface TrialRun extends Readonly<Omit<Notes, "unchanged" | "cut">> {
  /** Of the runs of all entities, the worst. */
  readonly status: RunStatus;
  readonly error: RunView["error"];
  /** Of all entities together. */
  readonly counts: RunView["counts"];
  /** As the API shows them: departments first. */
  readonly runs: readonly RunView[];
  readonly issues: readonly TrialIssue[];
  /** What was, and what would be. */
  readonly changes: readonly ChangeView[];
  /** Why the source says that it has nothing new since `last`; null: it does not say so. */
  readonly unchanged: string | null;
  /** Whether there may be more records than the limit. */
  readonly cut: boolean;
}

export interface Trial {
  /** One at a time. Fails with `unprocessable` when settings or options do not fit. */
  run(options: TrialRunOptions): Promise<TrialRun>;
  /** As an admin checks a connection. Fails with `unprocessable` where the source cannot be read. */
  check(): Promise<void>;
  /** Removes everything. */
  close(): void;
}

const OWNER = "trial";
const WAIT_MS = 2_000;
const LOOK_EVERY_MS = 20;
const PAGE = 200;
/** From good to bad. */
const RANKS: readonly RunStatus[] = ["succeeded", "planned", "skipped", "partial", "cancelled", "held", "failed"];

/** Fails with a Fault, with all problems in its message, when a connection cannot be made of what is given. */
export async function openTrial(options: TrialOptions): Promise<Trial> {
  const { connector, now = Date.now, wait = briefly } = options;
  // Pauses between attempts are skipped by moving this clock.
  let ahead = 0, notes = noNotes();
  const clock = () => now() + ahead;
  const registry = new Map<string, Installed>();
  const use = (more: { last?: unknown; limit?: number; entity?: Entity }) =>
    void registry.set(connector.name, spiedConnector(connector, { notes: () => notes, ...more }));
  use({});
  const db = await openScratch(clock);
  const hub: Hub = {
    db,
    registry,
    secrets: await createSecrets([createMasterKeyText()]),
    outbound: spiedOutbound(options.outbound, () => notes),
    now: clock,
    publicUrl: "http://trial.invalid",
    retainDays: 30,
    wake: () => {},
    log(event, details = {}) {
      // What the connector logs.
      if (event.startsWith("source.") && "message" in details) notes.log.push(String(details.message));
    },
  };

  async function carry(signal: AbortSignal): Promise<void> {
    await runFetcher(hub, { signal, owner: OWNER, lookEveryMs: LOOK_EVERY_MS, untilIdle: true, wait });
    while (await runNext(hub, { signal, owner: OWNER, rethrow: true }) !== null);
  }

  try {
    const organization = await createOrganization(db, { slug: "trial", name: "Trial", timezone: "UTC" }, clock());
    const ask = await createAsk(hub, organization);
    await connect(ask, options);
    return {
      async run({ mode, last, limit, entity, drop, signal = new AbortController().signal }) {
        requireFits(connector, { limit, entity, drop });
        notes = noNotes();
        use({ last, limit, entity });
        const before = new Set((await list<RunView>(ask, "/v1/runs")).map(({ id }) => id));
        if (drop === undefined) await ask("/v1/connections/trial/runs", { json: { mode } });
        else await handIn(ask, drop, mode, entity);
        let runs: RunView[];
        // People are planned after their departments, and their source is read once those are done.
        for (let rounds = 0;; rounds++) {
          await carry(signal);
          signal.throwIfAborted();
          runs = (await list<RunView>(ask, "/v1/runs")).filter(({ id }) => !before.has(id)).reverse();
          if (runs.every(({ status }) => RANKS.includes(status))) break;
          if (rounds > MAX_ROUNDS) throw new Error(`The trial's runs do not end: ${runs.map(({ status }) => status)}`);
          ahead += ROUND_MS;
        }
        return await viewTrial(hub, organization, ask, runs, notes);
      },
      check: async () => void await ask("/v1/connections/trial/check", { json: {} }),
      close: () => db.close(),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

const MAX_ROUNDS = 50, ROUND_MS = 60_000;

function briefly(ms: number, signal?: AbortSignal): Promise<void> {
  return sleep(Math.min(ms, WAIT_MS), signal);
}

interface Asked {
  readonly json?: unknown;
  readonly body?: BodyInit;
  readonly type?: string;
}

/** Asks the trial's hub. Fails with the problem's own words. */
// deno-lint-ignore no-explicit-any -- answers are as openapi.json has them
type Ask = (path: string, asked?: Asked) => Promise<any>;

async function createAsk(hub: Hub, { id }: Organization): Promise<Ask> {
  const token = createTokenText();
  await createToken(
    hub.db,
    id,
    { name: "trial", scopes: ["admin"], hash: hashToken(token), expiresAt: null },
    hub.now(),
  );
  const app = createApp(hub);
  return async (path, { json, body, type = "application/json" } = {}) => {
    const sent = json === undefined ? body : JSON.stringify(json);
    const answer = await app.request(path, {
      method: sent === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, ...(sent === undefined ? {} : { "content-type": type }) },
      ...(sent === undefined ? {} : { body: sent }),
    });
    const answered = await answer.json();
    if (answer.ok) return answered;
    const places: { pointer?: string; detail?: string }[] = answered.errors ?? [];
    const words = places.map(({ pointer, detail }) => `${pointer ?? ""}: ${detail ?? ""}`);
    throw new Fault("unprocessable", [answered.detail ?? answered.title, ...words].join("\n  "));
  };
}

async function list<T>(ask: Ask, path: string): Promise<T[]> {
  const all: T[] = [];
  for (let cursor: string | null = "";;) {
    const { data, next_cursor }: { data: T[]; next_cursor: string | null } = await ask(
      `${path}?limit=${PAGE}${cursor === "" ? "" : `&cursor=${cursor}`}`,
    );
    all.push(...data);
    if (next_cursor === null) return all;
    cursor = next_cursor;
  }
}

async function connect(ask: Ask, { connector, settings, secrets, mapping, policy }: TrialOptions): Promise<void> {
  const limits = Object.fromEntries(Object.keys(DEFAULT_GUARDS).map((name) => [name, { enabled: false }]));
  await ask("/v1/connections", {
    json: {
      connector: connector.name,
      name: "Trial",
      slug: "trial",
      settings: settings ?? {},
      mapping: mapping ?? {},
      policy: policy ?? {},
      limits,
      ...(connector.input === "fetch" ? { schedule: null } : {}),
      ...(secrets === undefined ? {} : { secrets }),
    },
  });
}

async function handIn(ask: Ask, drop: TrialDrop, mode: string, entity: Entity | undefined): Promise<void> {
  const query = new URLSearchParams({ name: drop.name, mode, ...(entity === undefined ? {} : { entity }) });
  await ask(`/v1/connections/trial/drops?${query}`, {
    body: drop.content,
    type: drop.contentType ?? "application/octet-stream",
  });
}

function requireFits(
  { input, coverage, title }: Installed,
  { limit, entity, drop }: Pick<TrialRunOptions, "limit" | "entity" | "drop">,
): void {
  const refused = (message: string) => new Fault("unprocessable", message);
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw refused(`The limit is ${limit}: it should be a number of records, from 1 on`);
  }
  if (entity !== undefined && coverage[entity] === undefined) {
    const brought = Object.keys(coverage).join(" and ");
    throw refused(`The connector "${title}" brings no ${entity}: it brings ${brought}`);
  }
  if (input === "drop" && drop === undefined) throw refused(`The connector "${title}" takes files: name one`);
  if (input === "fetch" && drop !== undefined) throw refused(`The connector "${title}" fetches, and takes no files`);
}

async function viewTrial(
  { db }: Hub,
  { id: organizationId }: Organization,
  ask: Ask,
  runs: readonly RunView[],
  notes: Notes,
): Promise<TrialRun> {
  const issues: TrialIssue[] = [], changes: ChangeView[] = [];
  const counts: Record<string, number> = {};
  for (const { id, entity, counts: its } of runs) {
    for (const row of await listIssueRows(db, organizationId, decodeId("run", id)!, Infinity, "row")) {
      const { line, origin } = row;
      issues.push(...row.issues.map((issue) => ({ ...issue, entity, line, origin })));
    }
    changes.push(...await list<ChangeView>(ask, `/v1/runs/${id}/changes`));
    for (const [name, count] of Object.entries(its)) counts[name] = (counts[name] ?? 0) + count;
  }
  const worst = [...runs].sort((a, b) => RANKS.indexOf(b.status) - RANKS.indexOf(a.status))[0]!;
  const isUnchanged = notes.unchanged !== null;
  return {
    ...notes,
    status: isUnchanged ? "skipped" : worst.status,
    error: isUnchanged ? null : runs.find(({ error }) => error !== null)?.error ?? null,
    counts: counts as RunView["counts"],
    runs,
    issues,
    changes,
  };
}
