/** Reads a source as a hub does, and keeps what it answered to the connector. */
import type { SourceFetch } from "../../connector.ts";
import type { Installed } from "../../hub.ts";
import { Fault } from "../../model/errors.ts";
import type { Entity } from "../../model/record.ts";
import { openTrial, type TrialOptions } from "../trial.ts";

/** What the connector was doing: reading an entity, or looking whether the source can be read. */
export type Part = Entity | "check";

/** A request of the connector, without its credentials, and what it got after all retries. */
export interface RealExchange {
  readonly part: Part;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface RealRead {
  /** In the order in which the connector asked. */
  readonly exchanges: readonly RealExchange[];
  /** How many records of each entity there are, in the order in which they were read. */
  readonly counts: ReadonlyMap<Entity, number>;
}

const MAX_BYTES = 64 * 1024 * 1024;

/** Fails with `unprocessable` where the source cannot be read to its end, or not be kept as a text. */
export async function readReal(
  options: Pick<TrialOptions, "connector" | "settings" | "secrets" | "outbound"> & { readonly signal: AbortSignal },
): Promise<RealRead> {
  const kept: Kept = { exchanges: [], whole: new Set() };
  const trial = await openTrial({ ...options, connector: watched(options.connector, kept) });
  try {
    const { runs, error } = await trial.run({ mode: "plan", signal: options.signal });
    // What the hub makes of the records does not matter here.
    if (runs.some(({ entity }) => !kept.whole.has(entity))) {
      throw new Fault("unprocessable", `The source cannot be read to its end: ${error?.message ?? "its run failed"}`);
    }
    if (options.connector.check !== undefined) await trial.check();
    return {
      exchanges: kept.exchanges.filter((each) => each !== null),
      counts: new Map(runs.map(({ entity, counts }) => [entity, counts.read])),
    };
  } finally {
    trial.close();
  }
}

interface Kept {
  /** Null: the answer has not come. */
  readonly exchanges: (RealExchange | null)[];
  /** What was read to its end. */
  readonly whole: Set<Entity>;
}

/** The same connector, whose answers are kept on their way to it. */
function watched(connector: Installed, { exchanges, whole }: Kept): Installed {
  let bytes = 0;
  const keeping = (fetch: SourceFetch, part: Part): SourceFetch => async (url, request) => {
    const place = exchanges.push(null) - 1;
    const answer = await fetch(url, request);
    const body = new Uint8Array(await answer.arrayBuffer());
    bytes += body.length;
    if (bytes > MAX_BYTES) {
      throw new Fault("unprocessable", `The source has more than ${MAX_BYTES / 2 ** 20} MiB: record a smaller one`);
    }
    const { status, headers } = answer;
    const method = request?.method ?? "GET";
    exchanges[place] = {
      part,
      method,
      url: new URL(url).href,
      status,
      headers,
      body: textOf(body, headers, place + 1),
    };
    return new Response(answer.body === null ? null : body, { status, headers });
  };
  return {
    ...connector,
    async *fetch(context) {
      const returned = yield* connector.fetch({ ...context, fetch: keeping(context.fetch, context.entity) });
      whole.add(context.entity);
      return returned;
    },
    ...(connector.check === undefined
      ? {}
      : { check: (context) => connector.check!({ ...context, fetch: keeping(context.fetch, "check") }) }),
  };
}

function textOf(body: Uint8Array, headers: Headers, n: number): string {
  const charset = /charset="?([\w-]+)/i.exec(headers.get("content-type") ?? "")?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body);
  } catch (cause) {
    throw new Fault("unprocessable", `Answer ${n} is no text, so people in it cannot be replaced`, { cause });
  }
}
