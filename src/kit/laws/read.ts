/** One read of the source: over the hub's own fetch, which does not wait here, and into its own store of rows. */
import type { FetchContext, SourceContext, SourceRequest } from "../../connector.ts";
import { Fault } from "../../model/errors.ts";
import type { Entity } from "../../model/record.ts";
import { MAX_PACKED_BYTES } from "../../runs/input.ts";
import { columnsOf, optionsOf } from "../../runs/read-drop.ts";
import type { OriginMark } from "../../store/connections/schema-sources.ts";
import { textOfState, whyNotAll } from "../../sources/fetch-progress.ts";
import { createKeeper, type Keeper, NOTHING_KEPT } from "../../sources/keep.ts";
import { readPages } from "../../sources/read-body.ts";
import { asFault } from "../../sources/source.ts";
import { concatBytes } from "../../std/typed-arrays.ts";
import { untilAborted } from "../../std/until-aborted.ts";
import type { Handler } from "../tape.ts";
import { type Asked, type Between, openLine } from "./line.ts";
import { notedIn } from "./spied-code.ts";
import { connectionOf, playerOf, TODAY, type Tried } from "./tried.ts";

export interface ReadOptions {
  readonly entity: Entity;
  /** In place of the source of the cases. */
  readonly source?: Handler;
  /** Comes between the connector and the source. */
  readonly between?: Between;
  /** The read goes on from here. */
  readonly from?: Saved;
  readonly last?: unknown;
  readonly signal?: AbortSignal;
  /** The read is given up when the connector asks more often. */
  readonly maxRequests?: number;
}

export interface Saved {
  readonly state: unknown;
  /** The rows until then, as NDJSON. */
  readonly rows: Uint8Array;
  readonly count: number;
}

export interface Read {
  /** As the hub stores them, as NDJSON: the same row counts once. */
  readonly rows: Uint8Array;
  readonly count: number;
  readonly origins: readonly OriginMark[];
  /** Null: the hub takes the read for whole. */
  readonly fault: Fault | null;
  /** What the connector gives as the reason that nothing has changed; null: it does not say so. */
  readonly unchanged: string | null;
  readonly saved: readonly Saved[];
  /** Requests that the read cannot do without. */
  readonly asked: readonly Asked[];
  /** How many rows had come when each of them was made. */
  readonly rowsBefore: readonly number[];
  /** Hosts that it asked and may not. */
  readonly foreign: readonly string[];
  /** What it reached for beside its context. */
  readonly reached: readonly string[];
  /** By the source's own account; null: it gives none. */
  readonly expected: number | null;
  /** Texts that leave the connector, after the hub has removed the secrets. */
  readonly texts: readonly { readonly where: string; readonly text: string }[];
  /** It asked too often, and was stopped. */
  readonly endless: boolean;
}

const MAX_REQUESTS = 100_000;

interface Progress {
  chunks: Uint8Array[];
  readonly keeper: Keeper;
  readonly saved: Saved[];
  readonly texts: { where: string; text: string }[];
  readonly reached: Set<string>;
  expected: number | null;
}

/** Never fails for what the connector or the source does: that is the read's fault. */
export async function readOnce(tried: Tried, options: ReadOptions): Promise<Read> {
  const { connector, cases } = tried;
  const { from, signal, between, maxRequests = MAX_REQUESTS, source = playerOf(cases.source) } = options;
  const stop = new AbortController();
  const all = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
  const line = openLine(tried, {
    source,
    between,
    signal: all,
    maxRequests,
    rows: () => progress.keeper.records,
    onTooMany: () => stop.abort(new Error("It asks without end")),
  });
  const progress: Progress = {
    chunks: from === undefined ? [] : [from.rows],
    keeper: createKeeper(from === undefined ? NOTHING_KEPT : { ...NOTHING_KEPT, records: from.count }, {
      keep: (_, data) => Promise.resolve(void progress.chunks.push(data)),
      hide: line.hide,
    }),
    saved: [],
    texts: [],
    reached: new Set(),
    expected: null,
  };
  for (const row of linesIn(from?.rows)) progress.keeper.remember(row);
  const say = (where: string, text: string) => void progress.texts.push({ where, text: line.redact(text) });
  let fault: Fault | null = null, unchanged: string | null = null;
  try {
    const pages = connector.fetch(fetchContext(tried, options, line.fetch, progress, all, say));
    const returned = await drain(untilAborted(pages as AsyncGenerator<never, unknown>, all), progress.keeper);
    unchanged = (returned as { unchanged?: string } | null | undefined)?.unchanged ?? null;
    if (unchanged === null) fault = whyNotAll(progress);
  } catch (error) {
    fault = asFault(error, { connector, redact: line.redact });
  }
  if (fault !== null) say("a fault", fault.message);
  const { origins } = await progress.keeper.flush();
  for (const [, origin] of origins) if (origin !== null) say("an origin", origin);
  for (const { state } of progress.saved) say("a checkpoint", JSON.stringify(state));
  return {
    rows: concatBytes(...progress.chunks),
    count: progress.keeper.records,
    origins,
    fault,
    unchanged,
    saved: progress.saved,
    asked: line.asked,
    rowsBefore: line.rowsBefore,
    foreign: line.foreign,
    reached: [...progress.reached],
    expected: progress.expected,
    texts: progress.texts,
    endless: stop.signal.aborted,
  };
}

async function drain(pages: AsyncGenerator<never, unknown>, keeper: Keeper): Promise<unknown> {
  for (;;) {
    const next = await pages.next();
    if (next.done) return next.value;
    await keeper.add(next.value);
  }
}

function fetchContext(
  tried: Tried,
  { entity, from, last = null }: ReadOptions,
  fetch: SourceContext["fetch"],
  progress: Progress,
  signal: AbortSignal,
  say: (where: string, text: string) => void,
): FetchContext<never> {
  const { keeper } = progress;
  return {
    ...sourceContext(tried, fetch, signal, logTo(progress.reached, say)),
    entity,
    drop: null,
    readDrop: () => {
      throw new Fault("connector_failed", "The connector fetches, and reads a drop");
    },
    checkpoint: {
      resume: from?.state ?? null,
      last,
      async save(state) {
        const text = textOfState(state);
        await keeper.flush();
        progress.saved.push({
          state: JSON.parse(text),
          rows: concatBytes(...progress.chunks),
          count: keeper.records,
        });
      },
    },
    read: (body, as) => readWith(tried, entity, body, as),
    expectTotal: (count) => {
      progress.expected = count;
    },
    startOver() {
      keeper.clear();
      progress.chunks = [];
      progress.saved.length = 0;
      progress.expected = null;
      return Promise.resolve();
    },
    warn: ({ message, suggestion }) => say("a warning", `${message} ${suggestion}`),
  };
}

/** As the hub reads a body for a connector. */
function readWith(
  { connector, cases, settings }: Tried,
  entity: Entity,
  body: Parameters<FetchContext<never>["read"]>[0],
  as: Parameters<FetchContext<never>["read"]>[1] = {},
) {
  const stream = (body instanceof Response ? body.body : body) ?? new Blob([]).stream();
  const type = as.contentType ?? (body instanceof Response ? body.headers.get("content-type") : null);
  const isHeader = columnsOf(
    { connection: connectionOf(cases), connector, customFields: [] },
    entity,
    connector.key ?? null,
    false,
  );
  const opened = {
    name: as.name ?? "body",
    contentType: type ?? "application/octet-stream",
    bytes: 0,
    open: () => stream,
  };
  return readPages(
    opened,
    optionsOf(settings, opened, { maxPackedBytes: MAX_PACKED_BYTES, isHeader: isHeader.canBe }),
  );
}

/** With their ends. */
function linesIn(rows: Uint8Array = new Uint8Array()): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < rows.length;) {
    const end = rows.indexOf(0x0a, from) + 1;
    lines.push(rows.subarray(from, end));
    from = end;
  }
  return lines;
}

export function sourceContext(
  { connector, settings }: Tried,
  fetch: (url: string | URL, request?: SourceRequest) => Promise<Response>,
  signal: AbortSignal,
  log: (line: string) => void,
): SourceContext<never> {
  return { settings, mapping: connector.mapping ?? {}, onlyStatuses: null, today: TODAY, fetch, signal, log };
}

export function logTo(reached: Set<string>, say: (where: string, text: string) => void) {
  return (line: string) => {
    const noted = notedIn(line);
    if (noted === null) say("the log", line);
    else reached.add(noted);
  };
}
