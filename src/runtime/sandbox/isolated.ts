/**
 * A connector of others, as the hub has it: what is data is here, and all that it does it does in children (child.ts). No
 * child serves two connections.
 */
import type { CheckResult, FetchContext, FetchedRows, SourceContext, Unchanged } from "../../connector.ts";
import {
  type Installed,
  type MigrationAsk,
  type Normalized,
  OWNER,
  type RowsToNormalize,
  type Threw,
} from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import type { RowBlock } from "../../model/record.ts";
import { isObject } from "../../std/is-object.ts";
import { createAhead } from "./ahead.ts";
import type { Meanwhile } from "./call-clock.ts";
import type { Answers } from "./calls.ts";
import type { Bundle } from "./bundle.ts";
import { type Child, startChild } from "./child.ts";
import { type Configured, createConfigured } from "./configured.ts";
import { ConnectorFault, threwOf } from "./faults.ts";
import { createHttp } from "./http.ts";
import { PLACES } from "./places.ts";
import { createReading } from "./reading.ts";
import { createSession } from "./session.ts";
import type { AllOfDrop, Limits } from "./protocol.ts";
import { createSourcePlace } from "./source-place.ts";

export interface IsolatedOptions {
  /** Path of the Deno program. */
  readonly deno: string;
  readonly limits?: Partial<Limits>;
  /** Starts each child; startChild by default. */
  readonly start?: typeof startChild;
  /** How long a child that normalizes is kept for more rows, in milliseconds. */
  readonly keptMs?: number;
  /** What a child gave about this code; absent: one is asked. */
  readonly described?: Described;
}

/** Of a connector's description, and of what it makes of settings, as JSON. */
const MAX_KEPT_CHARS = 256 * 1024;

/** What a child says about its connector. JSON. */
export interface Described {
  /** Null: the module has no object as its default export. */
  readonly data: Record<string, unknown> | null;
  readonly functions: readonly string[];
  /** Whether its settings are a Standard Schema. */
  readonly hasSchema: boolean;
  readonly settingsSchema: unknown;
}

/** Asks a child what the connector is. Fails with `connector_failed`. */
export async function describeConnector(bundle: Bundle, options: IsolatedOptions): Promise<Described> {
  try {
    return await askApart(bundle, options, async (child) => {
      const described = await child.call<Described>("describe", null);
      if (!isObject(described)) throw new ConnectorFault("does not describe itself");
      return small(described, "its description");
    });
  } catch (error) {
    throw inWords(error, null, createSourcePlace(bundle.map));
  }
}

/** The same, which the hub keeps. Fails where it is too much for that. */
function small<T>(given: T, what: string): T {
  if (JSON.stringify(given).length <= MAX_KEPT_CHARS) return given;
  throw new ConnectorFault(`has more than ${MAX_KEPT_CHARS / 1024} KiB of ${what}`);
}

/** Asks a child of its own, once there is a place for it. */
async function askApart<T>(
  bundle: Bundle,
  options: IsolatedOptions,
  question: (child: Child) => Promise<T>,
): Promise<T> {
  const giveBack = await PLACES.short.take(bundle.digest);
  try {
    return await within(await starterOf(bundle, options)(), question);
  } finally {
    giveBack();
  }
}

function starterOf({ code }: Bundle, { deno, limits, start = startChild }: IsolatedOptions) {
  return (onLog?: (line: string) => void) => start({ deno, limits, code, onLog });
}

/** Loads the connector, once. Fails with `connector_failed`. */
export async function loadIsolated(bundle: Bundle, options: IsolatedOptions): Promise<Installed> {
  const sourcePlace = createSourcePlace(bundle.map);
  const start = starterOf(bundle, options);
  const ask = <T>(question: (child: Child) => Promise<T>) => askApart(bundle, options, question);
  const { data, functions, hasSchema, settingsSchema } = options.described ??
    await describeConnector(bundle, options);
  if (typeof data !== "object" || data === null || !Array.isArray(functions)) {
    throw new Fault("unprocessable", "its default export should be what defineConnector gives");
  }
  const title = typeof data.title === "string" ? data.title : null;
  const failed = (error: unknown) => inWords(error, title, sourcePlace);
  const has = (name: string) => functions.includes(name);

  const configured = createConfigured(async (all, keep) => {
    const left = [...all];
    while (left.length > 0) {
      // A child goes on with the next settings until it fails.
      await ask(async (child) => {
        for (const stored of [...left]) {
          const made = await child.call<Configured>("configure", { settings: stored });
          keep(stored, { made: isObject(made) ? small(made, "its settings") : {} });
          left.shift();
        }
      }).catch((error) => keep(left.shift(), { error: failed(error) }));
    }
  });
  return {
    ...data,
    settingsJsonSchema: settingsSchema ?? undefined,
    ...configured.functions(functions),
    ...(hasSchema ? {} : { settings: undefined }),
    ...(has("fetch") ? { fetch: (context: FetchContext<never>) => fetchApart(start, context, failed) } : {}),
    ...(has("check") ? { check: (context: SourceContext<never>) => checkApart(start, context, failed) } : {}),
    ...Object.fromEntries(NOT_HERE.filter(has).map((name) => [name, notHere])),
    isolated: {
      digest: bundle.digest,
      prepare: configured.prepare,
      migrate: (asked: MigrationAsk) =>
        ask((child) => child.call("migrate", asked)).catch((error) => {
          throw failed(error);
        }),
      openNormalizer(owner: string) {
        const session = createSession(async () => {
          const giveBack = await PLACES.short.take(owner);
          return givingBack(
            await start().catch((error) => {
              giveBack();
              throw error;
            }),
            giveBack,
          );
        }, options.keptMs);
        return {
          normalize: (rows: RowsToNormalize) =>
            session.use(async (child) => normalized(await child.call("normalize", rows), rows.rows.length)).catch(
              (error) => {
                throw failed(error);
              },
            ),
          placeOf: ({ at }: Threw) => at === undefined ? null : sourcePlace(at),
        };
      },
    },
  } as unknown as Installed;
}

/** The same child, which gives its place back when it has ended. */
function givingBack(child: Child, giveBack: () => void): Child {
  return { ...child, end: () => child.end().finally(giveBack) };
}

/** What a child gave for so many rows. Fails where it is something else. */
function normalized(given: unknown, count: number): readonly Normalized[] {
  if (!Array.isArray(given) || given.length !== count) {
    throw new ConnectorFault(`did not normalize ${count} rows, as it was asked to`);
  }
  return given.map((each) => isObject(each?.record) ? { record: each.record } : { threw: threwOf(each?.threw) });
}

/** Functions that are called in children alone. They are there to show that the connector has them. */
const NOT_HERE = ["normalize", "migrateSettings", "migrateState"];

function notHere(): never {
  throw new Error("A connector of others does nothing in this process");
}

type Start = (onLog: (line: string) => void) => Promise<Child>;
type Failed = (error: unknown) => Error;

async function* fetchApart(
  start: Start,
  context: FetchContext<never>,
  failed: Failed,
): AsyncGenerator<FetchedRows | RowBlock, Unchanged | void> {
  const { checkpoint, drop, startOver, warn, signal } = context;
  const http = createHttp(context.fetch);
  const reading = createReading(context, http.take);
  const { pages, afterwards } = createAhead(() =>
    child.pages<FetchedRows | AllOfDrop, Unchanged | void>(given, { answers, signal })
  );
  const answers: Answers = {
    ...http.answers,
    ...reading.answers,
    expectTotal: ({ count }: { count: number }) => context.expectTotal(count),
    save: (state: unknown, meanwhile: Meanwhile) => afterwards(() => checkpoint.save(state), meanwhile),
    startOver: (_: unknown, meanwhile: Meanwhile) => afterwards(() => startOver(), meanwhile),
    warn: (warning: never) => warn(warning),
  };
  const given = {
    ...contextData(context),
    entity: context.entity,
    drop: drop === null ? null : { name: drop.name, contentType: drop.contentType, bytes: drop.bytes },
    checkpoint: { resume: checkpoint.resume, last: checkpoint.last },
  };
  const giveBack = await PLACES.reads.take(ownerOf(context), signal);
  const child = await start(context.log).catch((error) => {
    giveBack();
    throw failed(error);
  });
  try {
    for (;;) {
      const { done, value } = await pages.next();
      if (done) return value;
      if (isAllOfDrop(value)) yield* context.readDrop();
      else if (context.drop === null) yield value;
      else throw new ConnectorFault("reads a drop, of which it may only yield what readDrop gives");
    }
  } catch (error) {
    throw failed(error);
  } finally {
    await child.end();
    await pages.return(undefined);
    await reading.close();
    await http.close();
    giveBack();
  }
}

function ownerOf(context: object): string {
  return (context as { readonly [OWNER]?: string })[OWNER] ?? "";
}

function isAllOfDrop(page: FetchedRows | AllOfDrop | null): page is AllOfDrop {
  return typeof page === "object" && page !== null && "allOfDrop" in page;
}

async function checkApart(start: Start, context: SourceContext<never>, failed: Failed): Promise<CheckResult> {
  const http = createHttp(context.fetch);
  const giveBack = await PLACES.short.take(ownerOf(context), context.signal);
  try {
    return await within(
      await start(context.log),
      (child) =>
        child.call<CheckResult>("check", contextData(context), { answers: http.answers, signal: context.signal }),
    );
  } catch (error) {
    throw failed(error);
  } finally {
    await http.close();
    giveBack();
  }
}

function contextData({ settings, mapping, onlyStatuses, today }: SourceContext<never>) {
  return { settings, mapping, onlyStatuses, today };
}

async function within<T>(child: Child, use: (child: Child) => Promise<T>): Promise<T> {
  try {
    return await use(child);
  } finally {
    await child.end();
  }
}

/** The connector's own fault in words, with file and line of its author's source. Other errors are passed on. */
function inWords(error: unknown, title: string | null, sourcePlace: ReturnType<typeof createSourcePlace>): Error {
  if (!(error instanceof ConnectorFault)) return error as Error;
  const place = error.at === null ? null : sourcePlace(error.at);
  const name = title === null ? "The connector" : `The connector "${title}"`;
  return new Fault("connector_failed", `${name} ${error.message}${place === null ? "" : ` (${place})`}`, {
    cause: error,
  });
}
