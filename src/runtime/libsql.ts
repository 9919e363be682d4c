/**
 * A database on a libSQL server, over HTTP. No native code is loaded.
 *
 * A read is repeated for a while where the server is away. A write is repeated only if the server cannot have made it: where
 * its answer was lost, it fails with a DatabaseTrouble that `mayBeDone`, and its caller looks at what is stored.
 */
import { createClient, type InValue } from "@libsql/client/http";
import type { Fault } from "../model/errors.ts";
import type { Engine, Query } from "../store/engine.ts";
import { ladder, retry } from "../std/retry.ts";
import { type DatabaseTrouble, isBusy, troubleOf } from "../store/trouble.ts";
import { askServer, troubleOfAnswer } from "./libsql-request.ts";
import type { Run } from "./schema-version.ts";

export interface ServerOptions {
  readonly url: string;
  readonly authToken: string | null;
  /** How long a request is repeated that the server has not done, in milliseconds; 0: not at all. */
  readonly patienceMs?: number;
  /** Called before each repetition. */
  readonly onRetry?: (trouble: DatabaseTrouble) => void;
  /** How long an answer may take, in milliseconds. */
  readonly answerMs?: number;
  /** Checked in each batch, which fails as a whole unless it holds (schema-version.ts); absent: nothing is. */
  readonly check?: ServerCheck;
}

/** A statement that fails, and why: asked only where a batch has failed. Null: not because of it. */
export interface ServerCheck {
  readonly query: Query;
  why(run: Run): Promise<Fault | null>;
}

/** Less than a run's lease, so that a process that waits for an answer in vain still holds it. */
const ANSWER_MS = 20_000;
/** Pauses between repetitions, in milliseconds. */
const PAUSES = [100, 200, 400, 800, 1_500, 3_000];

export function openServer(options: ServerOptions): { engine: Engine; close(): void } {
  const place = { host: hostOf(options.url), answerMs: options.answerMs ?? ANSWER_MS };
  const client = createClient({
    // A server whose address is one for WebSockets also speaks HTTP there.
    url: options.url.replace(/^ws/, "http"),
    authToken: options.authToken ?? undefined,
    fetch: (request: Request) => askServer(request, place),
  });

  /** `isRead`: it changes nothing, however often it is repeated. */
  function ask<T>(isRead: boolean, work: () => Promise<T>): Promise<T> {
    return patiently(options, isRead, () =>
      work().catch((error) => {
        throw troubleOfAnswer(error, place) ?? error;
      }));
  }

  const all: Engine["all"] = ({ text, values }) =>
    ask(true, async () => rowsOf(await client.execute({ sql: text, args: values as InValue[] })));
  const batch: Engine["batch"] = (queries) =>
    ask(false, async () => {
      const statements = queries.map(({ text, values }) => ({ sql: text, args: values as InValue[] }));
      return (await client.batch(statements, "write")).map(rowsOf);
    });

  async function checkedBatch(queries: readonly Query[], { query, why }: ServerCheck): Promise<unknown[][][]> {
    try {
      return (await batch([query, ...queries])).slice(1);
    } catch (error) {
      if (troubleOf(error) !== null || isBusy(error)) throw error;
      throw await why((text, values = []) => all({ text, values })).catch(() => null) ?? error;
    }
  }

  const { check } = options;
  return {
    engine: { all, batch: check === undefined ? batch : (queries) => checkedBatch(queries, check) },
    close: () => client.close(),
  };
}

/** Repeats what the server has certainly not done, and reads in any case, while its trouble passes. */
function patiently<T>({ patienceMs = 0, onRetry }: ServerOptions, isRead: boolean, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  return retry(work, (error, failures) => {
    const trouble = troubleOf(error);
    if (trouble === null || !trouble.passes || (trouble.mayBeDone && !isRead)) return null;
    const pauseMs = ladder(PAUSES, failures) * (0.75 + Math.random() / 2);
    if (performance.now() - startedAt + pauseMs > patienceMs) return null;
    onRetry?.(trouble);
    return pauseMs;
  });
}

/** The server's name and port; never the token that an address may hold. */
function hostOf(url: string): string {
  return URL.canParse(url) && new URL(url).host !== "" ? new URL(url).host : "DATABASE_URL";
}

/** libSQL's rows have indexes and a length, but are not arrays. */
function rowsOf({ rows }: { rows: ArrayLike<unknown>[] }): unknown[][] {
  return rows.map((row) => Array.from(row));
}
