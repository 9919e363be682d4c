/** Reads the fake with the connector alone, past the hub's own fetch, whose pauses take no time here. */
import { Buffer } from "node:buffer";
import bamboohr from "../../../connectors/bamboohr/bamboohr.ts";
import { SETTINGS } from "../../../connectors/bamboohr/settings.ts";
import type {
  CheckResult,
  FetchContext,
  FetchedRecord,
  FetchedRows,
  SourceContext,
  SourceWarning,
} from "../../../src/connector.ts";
import { createSourceFetch } from "../../../src/sources/source-fetch.ts";
import { TODAY } from "./company.ts";
import { type BambooHR, outboundTo } from "./server.ts";

export interface ReadOptions {
  readonly key?: string;
  readonly source?: "auto" | "employees" | "report" | "dataset";
  readonly mapping?: Readonly<Record<string, string | null>>;
  readonly onlyStatuses?: readonly string[] | null;
  readonly today?: string;
}

type Settings = Parameters<NonNullable<typeof bamboohr.hosts>>[0];

function contextOf(
  fake: BambooHR,
  options: ReadOptions,
): SourceContext<Settings> & { log_: string[]; pauses: number[] } {
  const settings = SETTINGS.parse({ subdomain: fake.company.subdomain, source: options.source ?? "auto" });
  const { signal } = new AbortController();
  const log_: string[] = [], pauses: number[] = [];
  const authorization = `Basic ${Buffer.from(`${options.key ?? fake.key}:x`).toString("base64")}`;
  return {
    settings,
    mapping: { ...bamboohr.mapping, ...options.mapping },
    onlyStatuses: options.onlyStatuses ?? null,
    today: options.today ?? TODAY,
    signal,
    log: (message) => void log_.push(message),
    log_,
    pauses,
    fetch: createSourceFetch({
      outbound: outboundTo(fake),
      hosts: bamboohr.hosts!(settings),
      authorize: (anew) => Promise.resolve(anew ? null : { authorization }),
      signal,
      now: Date.now,
      wait: (ms) => Promise.resolve(void pauses.push(ms)),
      random: () => 0.5,
    }),
  };
}

export interface Read {
  /** Of the most people that were given at once. */
  readonly largestPage: number;
  /** In the order of their ids. */
  readonly records: readonly FetchedRecord[];
  readonly warnings: readonly SourceWarning[];
  readonly log: readonly string[];
  /** Of each request that was tried again, how long the hub would have waited before. */
  readonly pauses: readonly number[];
  /** How often everybody was read anew. */
  readonly restarts: number;
  /** What ended the read before its end; null: nothing did. */
  readonly error: Error | null;
}

export async function readFake(fake: BambooHR, options: ReadOptions = {}): Promise<Read> {
  const context = contextOf(fake, options);
  let records: FetchedRecord[] = [];
  const warnings: SourceWarning[] = [];
  let restarts = 0, largestPage = 0;
  let error: Error | null = null;
  const full: FetchContext<Settings> = {
    ...context,
    entity: "users",
    drop: null,
    async *readDrop() {},
    checkpoint: { resume: null, last: null, save: () => Promise.resolve() },
    expectTotal: () => {},
    read: () => {
      throw new Error("The kit has no readers");
    },
    startOver() {
      records = [];
      warnings.length = 0;
      restarts++;
      return Promise.resolve();
    },
    warn: (warning) => void warnings.push(warning),
  };
  try {
    for await (const rows of bamboohr.fetch(full)) {
      const page = (rows as FetchedRows).records;
      largestPage = Math.max(largestPage, page.length);
      records.push(...page);
    }
  } catch (thrown) {
    error = thrown as Error;
  }
  records.sort((a, b) => Number(a.id) - Number(b.id));
  return { largestPage, records, warnings, log: context.log_, pauses: context.pauses, restarts, error };
}

export function checkFake(fake: BambooHR, options: ReadOptions = {}): Promise<CheckResult> {
  return bamboohr.check!(contextOf(fake, options));
}
