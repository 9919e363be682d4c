/** A connector and its line to the source, which note what a trial shows: records, requests, states and warnings. */
import type { FetchContext, FetchedRecord, FetchedRows, SourceWarning, Unchanged } from "../connector.ts";
import type { Installed } from "../hub.ts";
import type { Coverage, Entity, RowBlock } from "../model/record.ts";
import type { Outbound } from "../security/outbound.ts";

/** A request to the source. Headers and bodies are not kept, because they hold credentials. */
export interface TrialRequest {
  readonly method: string;
  readonly url: string;
  /** Null: there was no answer. */
  readonly status: number | null;
}

/** A record as `fetch` gave it. */
export interface TrialRecord {
  readonly entity: Entity;
  readonly origin: string | null;
  readonly record: FetchedRecord;
}

/** What was noted since the run began. */
export interface Notes {
  readonly records: TrialRecord[];
  readonly requests: TrialRequest[];
  readonly log: string[];
  readonly warnings: SourceWarning[];
  /** The state that was saved last, by entity. */
  readonly states: Partial<Record<Entity, unknown>>;
  /** Why the source says that nothing has changed, where the trial was given an earlier read. */
  unchanged: string | null;
  /** Whether records were left out because of the limit. */
  cut: boolean;
}

export const noNotes = (): Notes => ({
  records: [],
  requests: [],
  log: [],
  warnings: [],
  states: {},
  unchanged: null,
  cut: false,
});

export interface Spying {
  /** Where to note. */
  notes(): Notes;
  /** State of an earlier read that the connector is given; undefined: what the hub knows. */
  readonly last?: unknown;
  /** How many records of each entity are taken; undefined: all. */
  readonly limit?: number;
  /** The only entity that is read; undefined: all that it brings. */
  readonly entity?: Entity;
}

/** The connector as the trial's hub has it: it does the same, and is watched. */
export function spiedConnector(connector: Installed, { notes, last, limit, entity }: Spying): Installed {
  return {
    ...connector,
    coverage: coverageOf(connector, entity, limit !== undefined),
    // A trial is started by hand.
    schedule: undefined,
    fetch: (context: FetchContext<never>) => watched(connector, context, { notes: notes(), last, limit }),
  };
}

/** Of a part of the people nobody may be taken for missing. */
function coverageOf({ coverage }: Installed, only: Entity | undefined, isCut: boolean): Installed["coverage"] {
  const all = Object.entries(coverage) as [Entity, Coverage][];
  return Object.fromEntries(
    all.filter(([entity]) => only === undefined || entity === only)
      .map(([entity, covers]) => [entity, isCut ? "diff" : covers]),
  );
}

type Page = FetchedRows | RowBlock;

async function* watched(
  connector: Installed,
  context: FetchContext<never>,
  { notes, last, limit = Infinity }: { notes: Notes; last: unknown; limit: number | undefined },
): AsyncGenerator<Page, Unchanged | void> {
  const { entity, checkpoint } = context;
  const pages = connector.fetch({
    ...context,
    checkpoint: {
      resume: checkpoint.resume,
      last: last === undefined ? checkpoint.last : last,
      async save(state) {
        await checkpoint.save(state);
        notes.states[entity] = state;
      },
    },
    // A part of the records is never as many as the source says.
    expectTotal: (count) => limit === Infinity ? context.expectTotal(count) : undefined,
    async startOver() {
      await context.startOver();
      for (let i = notes.records.length; i-- > 0;) if (notes.records[i]!.entity === entity) notes.records.splice(i, 1);
      notes.warnings.length = 0;
      delete notes.states[entity];
    },
    warn(warning) {
      context.warn(warning);
      notes.warnings.push(warning);
    },
  })[Symbol.asyncIterator]();
  let taken = 0, isOver = false;
  try {
    while (taken < limit) {
      const { done, value } = await pages.next();
      if (done) {
        isOver = true;
        if (!value || last === undefined || last === null) return value;
        // The trial's hub has no rows of that earlier read.
        notes.unchanged = value.unchanged;
        return;
      }
      if (!("records" in value) || !Array.isArray(value.records)) {
        yield value as Page;
        continue;
      }
      const records = value.records.slice(0, limit - taken);
      taken += records.length;
      for (const record of records) notes.records.push({ entity, origin: value.origin ?? null, record });
      yield { ...value, records };
    }
    notes.cut = true;
  } finally {
    if (!isOver) await pages.return?.();
  }
}

/** The line to the source, which notes each request. */
export function spiedOutbound(outbound: Outbound, notes: () => Notes): Outbound {
  const call = async (...[url, request]: Parameters<Outbound>) => {
    const noted = { method: request.method ?? "GET", url, status: null as number | null };
    notes().requests.push(noted);
    const answer = await outbound(url, request);
    noted.status = answer.status;
    return answer;
  };
  return Object.assign(call, { refusal: outbound.refusal });
}
