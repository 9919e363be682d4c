/** What every station of a run is handed: the run with its surroundings, the lease, and ways to say how far it is. */
import { Fault } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { getPreset } from "../model/preset.ts";
import { type Guards, resolveGuards } from "../model/guards.ts";
import type { ResolvedPolicy } from "../model/policy.ts";
import type { CustomField } from "../model/record.ts";
import { decodeId } from "../model/id.ts";
import { type Connection, findConnectionById } from "../store/connections/connections.ts";
import { loadCustomFields } from "../store/people/custom-fields.ts";
import type { Statement } from "../store/database.ts";
import { findOrganization, type Organization } from "../store/organizations.ts";
import { type Lease, type Renew, renewLease } from "../store/runs/queue.ts";
import type { Staging } from "../store/runs/staging.ts";
import { saveProgress } from "../store/runs/run-steps.ts";
import type { Run } from "../store/runs/runs.ts";
import { dateIn } from "../std/time.ts";

export interface Progress {
  readonly phase: string;
  readonly done: number;
  /** Null: not known. */
  readonly total: number | null;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Which process carries runs, so that the leases of one that is gone are free at once. */
  readonly owner: string;
  /** Whether a holder of a lease is certainly dead, so that its run need not wait for the lease to end. */
  readonly isGone?: (owner: string) => boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Only this run. */
  readonly runId?: number;
  /** Lets others have their turn; called between pieces of work. */
  readonly pause?: () => Promise<void>;
  /** Takes pages apart beside planning; absent where there is no processor to spare. */
  readonly staging?: Staging;
  /** How long one batch of applying may keep others from writing; 0: a page at a time. */
  readonly batchMs?: number;
  /** How much of a full page each page of a plan holds, at most 1: the least that a batch applies is one page. */
  readonly pageShare?: number;
  /** True: an error of the hub itself is thrown on, after the run has been left for the next attempt. */
  readonly rethrow?: boolean;
  /** False: without the shortcut for unchanged rows. For tests that compare the two. */
  readonly shortcut?: boolean;
}

/** Why a run's signal says stop that is to be taken up anew at another time: it is none of its attempts. */
export class GivenBack extends Error {}

/** A run with the lease under which it is carried. */
export interface Leased {
  readonly run: Run;
  readonly lease: Lease;
}

export interface Stage extends Leased {
  readonly hub: Hub;
  readonly organization: Organization;
  readonly connection: Connection;
  readonly customFields: readonly CustomField[];
  readonly policy: ResolvedPolicy;
  readonly guards: Guards;
  /** ISO date in the organization's time zone. */
  readonly today: string;
  readonly now: number;
  readonly options: RunOptions;
  /** Goes with each write: the lease, and now and then the progress. */
  readonly renew: Renew;
  /** Says how far it is, lets others have their turn, and stops where the process is asked to. */
  readonly step: (progress: Progress) => Promise<void>;
}

const PROGRESS_EVERY_MS = 500;

export async function openStage(hub: Hub, run: Run, lease: Lease, options: RunOptions): Promise<Stage> {
  const { db } = hub;
  const organization = await findOrganization(db, run.organizationId);
  const connection = await findConnectionById(db, run.organizationId, run.connectionId);
  if (organization === null || connection === null) {
    throw new Fault("not_found", "The run's connection has been deleted");
  }
  const now = hub.now();
  let latest: Progress | null = null;
  let savedAt = now;
  const renew = (): Statement[] => {
    const statements = renewLease(db, lease);
    if (latest !== null && hub.now() - savedAt >= PROGRESS_EVERY_MS) {
      savedAt = hub.now();
      statements.push(saveProgress(db, run.id, latest));
    }
    return statements;
  };
  return {
    hub,
    run,
    lease,
    organization,
    connection,
    customFields: await loadCustomFields(db, run.organizationId),
    policy: resolvePolicy(connection, hub),
    guards: resolveGuards(connection.limits),
    today: dateIn(organization.timezone, now),
    now,
    options,
    renew,
    async step(progress) {
      latest = progress;
      options.onProgress?.(progress);
      options.signal.throwIfAborted();
      // A long stretch of reading writes nothing; the lease must not end meanwhile.
      if (hub.now() - savedAt >= 4 * PROGRESS_EVERY_MS) await db.write(renew());
      await options.pause?.();
    },
  };
}

/** The connection's policy over its preset's over the default; what its connector says of coverage comes in between. */
export function resolvePolicy(
  connection: Pick<Connection, "connector" | "preset" | "policy">,
  hub: Pick<Hub, "registry">,
): ResolvedPolicy {
  const preset = getPreset(connection.preset);
  const connector = hub.registry.get(connection.connector);
  const { protected: people, priority: _, only_statuses, ...own } = connection.policy;
  return {
    ...preset.policy,
    ...(connection.preset === null && connector !== undefined ? { coverage: connector.coverage } : {}),
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
    only_statuses: only_statuses ?? null,
    protected: new Set((people ?? []).flatMap((id) => decodeId("usr", id) ?? [])),
  };
}
