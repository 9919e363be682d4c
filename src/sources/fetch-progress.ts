/**
 * How far a fetch has come: the rows it has read, its checkpoint and its warnings, in memory and in the database.
 *
 * Every write renews the fetch's lease, and fails if this process no longer has it. The first write that fails aborts
 * `broken`: the connector may catch or hide that error, so the reading is stopped as well.
 */
import type { SourceWarning } from "../connector.ts";
import type { Hub } from "../hub.ts";
import { Fault } from "../model/errors.ts";
import type { Issue } from "../model/record.ts";
import {
  type ClaimedFetch,
  type Fetch,
  forgetChunks,
  keepChunk,
  note,
  type Noted,
  writeFetch,
} from "../store/connections/fetches.ts";
import type { Statement } from "../store/database.ts";
import { EVERYWHERE, openDrop as openStored } from "../store/runs/drop-content.ts";
import { createDrop, findDrop } from "../store/runs/drops.ts";
import { toInstant } from "../std/time.ts";
import { createKeeper, type Keeper, NOTHING_KEPT } from "./keep.ts";

const MAX_STATE = 16 * 1024;
const MAX_WARNINGS = 100;
const MAX_STARTS = 20;
/** Of a warning's text, in characters. */
const MAX_TEXT = 500;
const WARNINGS: readonly SourceWarning["code"][] = ["field_restricted", "status_not_in_source", "source_changed"];
const LINE_END = 0x0a;

export interface FetchProgress {
  readonly hub: Hub;
  readonly fetch: Fetch;
  readonly keeper: Keeper;
  readonly warnings: Issue[];
  /** Aborted with the error of the first write that failed. */
  readonly broken: AbortController;
  /** The drop that the rows are stored in; null until openDrop has found or made it. */
  dropId: number | null;
  /** As last saved; null: the read begins at its start. */
  checkpoint: unknown;
  /** How many records there are by the source's own account; null: it gives none. */
  expected: number | null;
  /** Removes the connection's secrets from a text; set once the source is open. */
  hide: (text: string) => string;
  starts: number;
}

/** Starts from what an earlier process has stored of the same fetch. Writes nothing. */
export function createProgress(hub: Hub, fetch: Fetch): FetchProgress {
  const progress: FetchProgress = {
    hub,
    fetch,
    keeper: createKeeper(fetch.checkpoint === null ? NOTHING_KEPT : fetch, {
      async keep(index, data) {
        const body = await (hub.packing ?? EVERYWHERE).gzip(data);
        const chunk = { index, bytes: data.length, body };
        await write(progress, [keepChunk(hub.db, progress.dropId!, chunk)]);
      },
      hide: (text) => progress.hide(text),
    }),
    warnings: [...fetch.warnings],
    broken: new AbortController(),
    dropId: fetch.dropId,
    checkpoint: fetch.checkpoint,
    expected: fetch.checkpoint === null ? null : fetch.expected,
    hide: (text) => text,
    starts: 0,
  };
  return progress;
}

/**
 * Writes the statements and renews the lease; without statements, it only renews. Fails once another process has claimed
 * the fetch, or its run has ended (isFenced).
 */
export async function write(progress: FetchProgress, statements: readonly Statement[] = []): Promise<void> {
  const { hub, fetch, keeper, broken } = progress;
  try {
    await writeFetch(hub.db, fetch, keeper.records, statements);
  } catch (error) {
    broken.abort(error);
    throw error;
  }
}

/** Finds the drop of an earlier attempt, without what came after its last checkpoint, or makes a new one. */
export async function openDrop(progress: FetchProgress, { run, connection }: ClaimedFetch): Promise<void> {
  const { hub: { db, now }, fetch, keeper } = progress;
  // A drop that waited too long for its reader has been deleted with all its rows.
  if (progress.dropId !== null && await findDrop(db, fetch.organizationId, progress.dropId) === null) {
    progress.dropId = progress.checkpoint = progress.expected = null;
    keeper.clear();
  }
  progress.dropId ??= await createDrop(db, fetch.organizationId, connection.id, {
    name: `${connection.slug}-${run.entity === "users" ? "" : `${run.entity}-`}${
      toInstant(now()).slice(0, 19).replaceAll(":", "-")
    }.ndjson`,
    contentType: "application/x-ndjson",
    mode: run.mode,
    entity: run.entity,
    coverage: null,
  }, now());
  const { dropId } = progress;
  const isResumed = progress.checkpoint !== null;
  await write(progress, [
    forgetChunks(db, dropId, isResumed ? fetch.chunks : 0),
    note(db, fetch, isResumed ? { dropId } : { ...NOTHING_KEPT, dropId, expected: null }),
  ]);
  if (isResumed) await rememberStored(progress);
}

/** Notes the records that are stored, so that those which come again are recognized. */
async function rememberStored({ hub, fetch, keeper, dropId }: FetchProgress): Promise<void> {
  const drop = await findDrop(hub.db, fetch.organizationId, dropId!);
  const chunks = openStored(hub.db, drop!, hub.packing).open() as unknown as AsyncIterable<Uint8Array>;
  // A chunk ends at a line's end.
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length;) {
      const end = chunk.indexOf(LINE_END, from) + 1;
      keeper.remember(chunk.subarray(from, end));
      from = end;
    }
  }
}

/** Stores all rows so far together with the connector's state. Fails with `source_unreadable` if that is too large. */
export async function saveCheckpoint(progress: FetchProgress, state: unknown): Promise<void> {
  const text = textOfState(state);
  const kept = await progress.keeper.flush();
  progress.checkpoint = JSON.parse(text);
  await write(progress, [noteAll(progress, kept)]);
}

/** A checkpoint's state as it is stored. Fails with `connector_failed` for one that is too large, or no JSON. */
export function textOfState(state: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(state ?? null);
  } catch (cause) {
    throw new Fault("connector_failed", "The connector has an error of its own: its checkpoint is no JSON", { cause });
  }
  if (text === undefined || text.length > MAX_STATE) {
    throw new Fault(
      "connector_failed",
      "The connector has an error of its own: its checkpoint is over 16 KiB, or no JSON",
    );
  }
  return text;
}

/** Notes how many records there are. Fails with `connector_failed` for what is no number of records. */
export function expectTotal(progress: FetchProgress, count: unknown): void {
  if (!Number.isSafeInteger(count) || (count as number) < 0) {
    throw new Fault("connector_failed", "The connector has an error of its own: it expects no number of records");
  }
  progress.expected = count as number;
}

/** Why what was read cannot be all; null: it can. */
export function whyNotAll({ expected, keeper }: Pick<FetchProgress, "expected" | "keeper">): Fault | null {
  if (expected === null || expected === keeper.records) return null;
  const message = `The source says that it has ${expected} records, and gave ${keeper.records}`;
  return new Fault("source_unreadable", message);
}

/** The warning about records that came again; null: none did. */
export function repeatedWarning({ keeper: { repeated } }: FetchProgress): Issue | null {
  return repeated === 0 ? null : {
    severity: "warning",
    code: "duplicate_in_input",
    field: null,
    value: null,
    message: repeated === 1
      ? "The source gave one record twice, with the same content; it counts once"
      : `The source gave ${repeated} records again, with the same content; they count once`,
    suggestion: "Do nothing: the list moved while it was read, or the source repeats a page",
  };
}

/** Deletes all rows so far. Fails with `source_unreachable` when a connector does this again and again. */
export async function startOver(progress: FetchProgress): Promise<void> {
  if (++progress.starts > MAX_STARTS) {
    throw new Fault("source_unreachable", `The source could not be read in one go, in ${MAX_STARTS} tries`);
  }
  progress.keeper.clear();
  progress.warnings.length = 0;
  progress.checkpoint = progress.expected = null;
  await write(progress, [
    forgetChunks(progress.hub.db, progress.dropId!, 0),
    noteAll(progress, NOTHING_KEPT),
  ]);
}

/** Notes which version of the connector reads. What another one has begun is begun anew: its state is of no use to this one. */
export async function beginWith(progress: FetchProgress, version: string): Promise<void> {
  const { hub, fetch } = progress;
  if (fetch.connectorVersion === version) return;
  if (progress.checkpoint !== null) await startOver(progress);
  await write(progress, [note(hub.db, fetch, { connectorVersion: version })]);
}

/**
 * Adds a warning to the run's report; those beyond the limit are ignored. `redact` removes the connection's secrets. Fails
 * with `connector_failed` for what is no warning.
 */
export function addWarning(
  { warnings }: FetchProgress,
  warning: SourceWarning,
  redact: (text: string) => string,
): void {
  if (warnings.length >= MAX_WARNINGS) return;
  const { code, field, message, suggestion } = warning;
  const texts = [message, suggestion, field ?? ""];
  if (!WARNINGS.includes(code) || texts.some((text) => typeof text !== "string")) {
    throw new Fault(
      "connector_failed",
      "The connector has an error of its own: it warns of something that the hub does not know",
    );
  }
  const [short, advice, about] = texts.map((text) => redact(text).slice(0, MAX_TEXT));
  const severity = "warning", value = null;
  warnings.push({ severity, code, field: field == null ? null : about!, value, message: short!, suggestion: advice! });
}

/** The statement that stores how far the fetch has come. */
export function noteAll(
  { hub, fetch, warnings, checkpoint, expected }: FetchProgress,
  noted: Partial<Noted>,
): Statement {
  return note(hub.db, fetch, { warnings, checkpoint, expected, ...noted });
}
