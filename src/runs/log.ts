/** What the log says of a run: by ids, statuses and numbers alone. */
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import type { Run } from "../store/runs/runs.ts";
import type { Counts } from "../model/run.ts";

type Details = NonNullable<Parameters<Hub["log"]>[1]>;

/**
 * One line, with the ids that tell which run it is about and which request it goes back to. A run that is logged has moved on, so that
 * requests which wait for it are woken, too.
 */
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

/** Counts as details: those of rows, by what became of them. */
export function countDetails(counts: Counts | null): Details {
  return { ...counts };
}
