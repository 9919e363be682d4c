/** Log lines about runs. They contain ids, statuses and numbers only. */
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import type { Run } from "../store/runs/runs.ts";
import type { Counts } from "../model/run.ts";

type Details = NonNullable<Parameters<Hub["log"]>[1]>;

/** Logs an event of the run with its ids and that of its request. Also wakes requests that wait for the run to change. */
export function logRun(
  hub: Hub,
  run: Pick<Run, "id" | "organizationId" | "connectionId"> & { readonly requestId?: string | null },
  event: string,
  details: Details = {},
): void {
  hub.log(event, {
    run_id: encodeId("run", run.id),
    request_id: run.requestId ?? null,
    organization_id: encodeId("org", run.organizationId),
    connection_id: encodeId("con", run.connectionId),
    ...details,
  });
  hub.moved?.(run.id);
}

/** The counts as details of a log line. */
export function countDetails(counts: Counts | null): Details {
  return { ...counts };
}
