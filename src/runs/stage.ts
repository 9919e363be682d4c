/** What every station of a run gets: the run with its connection and policy, its lease, and a way to report progress. */
import { Fault } from "../model/errors.ts";
import { connectorFor, type Hub } from "../hub.ts";
import { getPreset } from "../model/preset.ts";
import { type Guards, resolveGuards } from "../model/guards.ts";
import { traceLayers, valuesOf } from "../model/layers.ts";
import { DEFAULT_POLICY, type ResolvedPolicy } from "../model/policy.ts";
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
  /** Null: it is not known. */
  readonly total: number | null;
}

export interface RunOptions {
  readonly signal: AbortSignal;
  /** Name of this process, which holds the leases. */
  readonly owner: string;
  /** Whether the holder of a lease has certainly died, so that its run can be taken over at once. */
  readonly isGone?: (owner: string) => boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** Carries only this run. */
  readonly runId?: number;
  /** Called between pieces of work, to let other work go on. */
  readonly pause?: () => Promise<void>;
  /** Takes pages apart in parallel with planning; absent where there is no processor to spare. */
  readonly staging?: Staging;
  /** How long one batch of applying may block other writers; 0: one page at a time. */
  readonly batchMs?: number;
  /** Size of the plan's pages as a share of a full page, at most 1. The smallest batch is one page. */
  readonly pageShare?: number;
  /** True: an error of the hub itself is thrown again, after the run has been released for the next attempt. */
  readonly rethrow?: boolean;
  /** False: unchanged rows are decoded, too. For tests that compare the two ways. */
  readonly shortcut?: boolean;
}

/** The reason of a run's abort signal when the run returns to the queue, which does not count as an attempt. */
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
  /**
   * Statements to begin each write with: they renew the lease, fail the write if another process has it by now, and, from
   * time to time, store the progress.
   */
  readonly renew: Renew;
  /** Reports progress, and pauses. Fails with the signal's reason when the run has to stop. */
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
  // Not by the clock, which may jump.
  let savedAt = performance.now();
  const renew = (): Statement[] => {
    const statements = renewLease(db, lease);
    if (latest !== null && performance.now() - savedAt >= PROGRESS_EVERY_MS) {
      savedAt = performance.now();
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
      // Reading writes nothing for a long time; the lease has to be renewed all the same.
      if (performance.now() - savedAt >= 4 * PROGRESS_EVERY_MS) await db.write(renew());
      await options.pause?.();
    },
  };
}

/** The part of a connection that its policy is resolved from. */
export type WithPolicy = Pick<Connection, "connector" | "connectorDigest" | "preset" | "policy">;

/**
 * By precedence: the connection's own policy, its connector's coverage if it has no preset or brings only changes, its
 * preset's policy. A preset cannot turn a connector that only brings changes into one that brings everybody.
 */
export function tracePolicy(connection: WithPolicy, hub: Pick<Hub, "registry">) {
  const { preset, policy } = connection;
  const brings = connectorFor(hub.registry, connection)?.coverage;
  const coverage = brings?.users ?? brings?.departments;
  const { protected: people, priority: _, only_statuses, only_rows, ...own } = policy;
  return traceLayers<ResolvedPolicy>(
    ["default", DEFAULT_POLICY],
    ["preset", getPreset(preset).policy],
    ["connector", preset === null || coverage === "diff" ? { coverage } : {}],
    ["connection", {
      ...own,
      only_statuses: only_statuses ?? undefined,
      only_rows: only_rows ?? undefined,
      protected: people && new Set(people.flatMap((id) => decodeId("usr", id) ?? [])),
    }],
  );
}

/** As tracePolicy: the values alone. */
export function resolvePolicy(connection: WithPolicy, hub: Pick<Hub, "registry">): ResolvedPolicy {
  return valuesOf(tracePolicy(connection, hub));
}
