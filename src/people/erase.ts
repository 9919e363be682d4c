/**
 * Erasing a person: their values go from everywhere at once, the history of what was done stays. The user stays as a
 * shell without values, so that ids and managers of others keep their meaning; the same person imported again is a new
 * user.
 *
 * Copies outside of the tables follow later: bridges delete their copies of files, and deleted rows are cleaned out of
 * the database's file. Both are requested in the same batch, and reported as pending until they are done.
 *
 * No run of the organization begins during an erasure. Safe to repeat and to interrupt: until the search is complete,
 * nothing is changed.
 */
import { type By, HUB } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { encodeId } from "../model/id.ts";
import type { Hub } from "../hub.ts";
import { sleep } from "../std/sleep.ts";
import { emptyWords } from "../store/people/erased-words.ts";
import { listWaitingInputs } from "../store/people/erased-runs.ts";
import {
  ERASED,
  eraseFound,
  type Found,
  holdOrganization,
  releaseOrganization,
  renewHold,
} from "../store/people/erasure.ts";
import { isFenced } from "../store/fence.ts";
import type { Lease } from "../store/runs/queue.ts";
import { findErasure, listBridgesFor } from "../store/people/erasures.ts";
import { listMerged } from "../store/people/merges.ts";
import { findUser, type StoredUser } from "../store/people/users.ts";
import { namesOfUser } from "../reconcile/row-names.ts";
import { deleteNames, listNamers } from "../store/runs/run-names.ts";
import { namer } from "../runs/namer.ts";
import { dataVersionOf } from "../store/runs/run-steps.ts";
import { findInChanges } from "./erase-changes.ts";
import { findInFiles, type SearchedDrops } from "./erase-files.ts";
import { findInEvents, findInReports } from "./erase-reports.ts";
import { beginSearch, type PersonSearch } from "./person-search.ts";

/** How often an erasure starts again because other writers changed something in the meantime. */
const MAX_ATTEMPTS = 20;
const PAUSE_MS = 100;

/** What helps when a run is in the way. */
const END_IT = "cancel it or wait for its end, and erase the person then";

/** Fails with `conflict` while a run is at work or an input waits that may hold the person, and with `not_found`. */
export async function eraseUser(hub: Hub, organizationId: number, userId: number, by: By = HUB): Promise<void> {
  await requireUser(hub, organizationId, userId);
  const attempt = createAttempt(hub, { organizationId, userId, by });
  let reason = "";
  for (let made = 0; made < MAX_ATTEMPTS; made++) {
    if (made > 0) await sleep(PAUSE_MS);
    const result = await attempt();
    if (result.end === "erased") return;
    reason = result.reason;
  }
  throw new Fault("conflict", reason);
}

export interface Erasing {
  readonly organizationId: number;
  readonly userId: number;
  readonly by: By;
  /**
   * Whether the person is still to be erased, asked while no run of the organization can begin; absent: they are. The
   * erasure fails if the user has changed since.
   */
  readonly isWanted?: () => Promise<boolean>;
}

/** `unwanted`: isWanted gave false. `busy`: the organization is at work, so nobody of it can be erased now. */
export type Attempted =
  | { readonly end: "erased" }
  | { readonly end: "unwanted" | "busy" | "not_yet"; readonly reason: string };

/** Tries once. Fails with `not_found`. */
export async function eraseOnce(hub: Hub, erasing: Erasing): Promise<Attempted> {
  return await createAttempt(hub, erasing)();
}

/** A function that tries to erase the person; who was merged into them goes first, as the same person. */
function createAttempt(hub: Hub, erasing: Erasing): () => Promise<Attempted> {
  const { organizationId, userId, by, isWanted } = erasing;
  const own = createOwnAttempt(hub, erasing);
  return async () => {
    for (const merged of await listMerged(hub.db, organizationId, userId)) {
      if (await findErasure(hub.db, organizationId, merged) !== null) continue;
      if (isWanted !== undefined && !await isWanted()) return UNWANTED;
      const attempted = await createOwnAttempt(hub, { organizationId, userId: merged, by })();
      if (attempted.end !== "erased") return attempted;
    }
    return await own();
  };
}

const UNWANTED: Attempted = { end: "unwanted", reason: "They are not to be erased now" };

/** What it has found in drops is kept from one attempt to the next. */
function createOwnAttempt(hub: Hub, { organizationId, userId, by, isWanted }: Erasing): () => Promise<Attempted> {
  const owner = `erasing ${crypto.randomUUID()}`;
  const searched: SearchedDrops = new Map();
  return async () => {
    const hold = await holdOrganization(hub.db, organizationId, owner);
    if (hold === null) return { end: "busy", reason: `A run of the organization is at work; ${END_IT}` };
    try {
      const obstacle = await attemptErasing(hub, hold, userId, searched, by, isWanted);
      if (obstacle === null) {
        await hub.erased?.(userId);
        // If another process uses the file just now, the cleaning that follows truncates its log.
        await hub.db.file?.truncateLog();
        hub.wake();
        return { end: "erased" };
      }
      await releaseOrganization(hub.db, hold);
      return obstacle;
    } catch (error) {
      if (!isFenced(error)) {
        await releaseOrganization(hub.db, hold);
        throw error;
      }
      return { end: "busy", reason: "Another process has taken the organization over; try again" };
    }
  };
}

async function requireUser({ db }: Hub, organizationId: number, userId: number): Promise<StoredUser> {
  const stored = await findUser(db, organizationId, userId);
  if (stored === null) throw new Fault("not_found", `There is no user "${encodeId("usr", userId)}"`);
  return stored;
}

/** Null when the person is erased; else why not. */
async function attemptErasing(
  hub: Hub,
  hold: Lease,
  userId: number,
  searched: SearchedDrops,
  by: By,
  isWanted: Erasing["isWanted"],
): Promise<Attempted | null> {
  const { db } = hub;
  const { organizationId } = hold;
  const dataVersion = await dataVersionOf(db, organizationId);
  const stored = await requireUser(hub, organizationId, userId);
  if (isWanted !== undefined && !await isWanted()) return UNWANTED;
  const renew = createRenewal(hub, hold);
  const search = await beginSearch(hub, stored, () => renew(RENEW_MS));
  const { pages, plans, changes } = await findInChanges(search);
  const runs = { ...await findInReports(search), plans };
  const events = await findInEvents(search);
  const early = await findWaitingInput(search);
  if (early !== null) return notYet(early);
  const files = await findInFiles(search, searched);
  const words = await emptyWords(db, organizationId, search.traces.isNamedIn, ERASED);
  const waiting = await findWaitingInput(search);
  if (waiting !== null) return notYet(waiting);
  await renew(0);
  const names = search.traces.names();
  const found: Found = {
    pages,
    runs,
    events,
    files,
    words,
    changes,
    connections: [...search.connections],
    names,
    waiting: await namesInRuns(hub, organizationId, userId, names),
    erasure: await findErasure(db, organizationId, userId),
    bridged: [...hub.registry.values()].filter((connector) => connector.bridged).map(({ name }) => name),
    bridges: await listBridgesFor(db, organizationId),
  };
  return await eraseFound(db, hold, stored.user, dataVersion, found, hub.now(), by)
    ? null
    : notYet("People of the organization keep changing; erase the person again later");
}

function notYet(reason: string): Attempted {
  return { end: "not_yet", reason };
}

/** The statements that remove the person from the names of held runs. */
async function namesInRuns(
  { db }: Hub,
  organizationId: number,
  userId: number,
  names: readonly string[],
): Promise<Found["waiting"]> {
  return (await listNamers(db, organizationId)).map((connection) =>
    deleteNames(db, organizationId, connection.id, namesOfUser(userId, names).map(namer(connection)))
  );
}

/** An input that still waits could bring the person back. */
async function findWaitingInput({ hub, organizationId, connections }: PersonSearch): Promise<string | null> {
  const [run] = await listWaitingInputs(hub.db, organizationId, [...connections]);
  if (run === undefined) return null;
  return `The run ${encodeId("run", run)} waits with an input that may hold the person; ${END_IT}`;
}

/** Pages are read in milliseconds, and the lease lasts much longer. */
const RENEW_MS = 1000;

/** Renews the organization's lease if the last time was `afterMs` ago. Fails when the lease is lost (isFenced). */
function createRenewal(hub: Hub, hold: Lease): (afterMs: number) => Promise<void> {
  let last = -Infinity;
  return async (afterMs) => {
    if (performance.now() - last < afterMs) return;
    await renewHold(hub.db, hold);
    last = performance.now();
  };
}
