/**
 * Switches webhook endpoints off, and notifies the organization's other endpoints and its technical contact. Of one that is
 * for all organizations only the others for all are notified, and the log.
 */
import { actorOf, type By, HUB } from "../model/audit.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import {
  ALL_ORGANIZATIONS,
  disableEndpoint,
  type Endpoint,
  isStill,
  listEndpointsOf,
  listFailing,
} from "../store/notify/endpoints.ts";
import { eventStatements } from "../store/notify/events.ts";
import { endpointDisabled } from "../model/event.ts";
import { mailWithoutRun } from "./queue-mails.ts";
import { MAX_FAILING_MS, MIN_FAILING_SPAN_MS } from "./schedule.ts";

const REASONS = {
  gone: "The endpoint answered 410 Gone",
  failing: "Every delivery has failed for five days",
  revoked: "The token that made the endpoint was deleted; an admin can take it over",
} as const;

function reasonFor(reason: keyof typeof REASONS, { maker }: Endpoint): string {
  const isOfMember = reason === "revoked" && maker?.startsWith("member:") === true;
  return isOfMember ? "The member who made the endpoint was removed; an admin can take it over" : REASONS[reason];
}

/** Writes event and mail in the same batch. False: the endpoint has changed since it was read, and nothing is done. */
export async function switchOff(
  hub: Hub,
  endpoint: Endpoint,
  reason: keyof typeof REASONS,
  by: By = HUB,
): Promise<boolean> {
  const { organizationId, url, description } = endpoint;
  const why = reasonFor(reason, endpoint);
  const named = { id: encodeId("whe", endpoint.id), url, description };
  const event = endpointDisabled(organizationId, named, why);
  const mail = {
    organizationId,
    connectionId: null,
    type: "endpoint.disabled",
    facts: { endpoint: { id: named.id, url, reason: why } },
  } as const;
  const also = [
    ...eventStatements(hub.db, [event], hub.now(), isStill(endpoint)),
    ...organizationId === ALL_ORGANIZATIONS ? [] : await mailWithoutRun(hub, mail, isStill(endpoint)),
  ];
  const disabled = await disableEndpoint(hub.db, endpoint, { reason, also }, hub.now(), by);
  if (disabled !== null) hub.log("endpoint.disabled", { endpoint: named.id, reason });
  return disabled !== null;
}

/** Switches off the endpoints of a deleted token, or of a member who was removed. Returns their public ids. */
export async function stopEndpointsOf(hub: Hub, maker: Pick<By, "kind" | "id">, by: By): Promise<string[]> {
  const stopped = new Set<string>();
  // An endpoint that changes at this moment is left, so the list is read until it is empty.
  for (let left = await listEndpointsOf(hub.db, actorOf(maker)); left.length > 0;) {
    for (const endpoint of left) {
      if (await switchOff(hub, endpoint, "revoked", by)) stopped.add(encodeId("whe", endpoint.id));
    }
    left = await listEndpointsOf(hub.db, actorOf(maker));
  }
  return [...stopped];
}

/** Switches off endpoints that have only failed for days. */
export async function disableFailing(hub: Hub): Promise<void> {
  const limits = { since: hub.now() - MAX_FAILING_MS, spanMs: MIN_FAILING_SPAN_MS };
  for (const endpoint of await listFailing(hub.db, limits)) await switchOff(hub, endpoint, "failing");
}
