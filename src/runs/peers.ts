/** The connections of a run's organization, as their words are compared (reconcile/ranks.ts). */
import { DEFAULT_PRIORITY } from "../model/policy.ts";
import type { Peer } from "../reconcile/ranks.ts";
import { listPeers } from "../store/runs/run-steps.ts";
import { resolvePolicy, type Stage } from "./stage.ts";

export async function loadPeers({ hub, run }: Pick<Stage, "hub" | "run">): Promise<Peer[]> {
  const connections = await listPeers(hub.db, run.organizationId);
  return connections.map((connection) => {
    const { coverage, only_statuses, manual_edits } = resolvePolicy(connection, hub), memory = connection.columnMemory;
    const hasReadStatus = memory !== null && (memory.active || memory.inactive || memory.date);
    return {
      id: connection.id,
      priority: connection.policy.priority ?? DEFAULT_PRIORITY,
      createdAt: connection.createdAt,
      readsStatus: hasReadStatus || only_statuses !== null,
      isDiff: coverage === "diff",
      hasLinks: connection.hasLinks === 1,
      keepsEdits: manual_edits === "keep",
    };
  });
}
