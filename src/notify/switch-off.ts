/** Endpoints that the hub switches off by itself, which the organization's others and its technical contact are told. */
import { actorOf, type By, HUB } from "../model/audit.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { disableEndpoint, type Endpoint, isStill, listEndpointsOf } from "../store/notify/endpoints.ts";
import { eventStatements } from "../store/notify/events.ts";
import { endpointDisabled } from "../model/event.ts";
import { endpointDisabledMail } from "./queue-mails.ts";

const REASONS = {
  gone: "It answered 410: there is nobody any more who wants what is sent there",
  failing: "For five days nothing that was sent there was taken",
  revoked: "The token that made it was deleted; an admin may take it over",
} as const;

/** Says so in the same batch. False when the endpoint has changed meanwhile: then nothing is done. */
export async function switchOff(
  hub: Hub,
  endpoint: Endpoint,
  reason: keyof typeof REASONS,
  by: By = HUB,
): Promise<boolean> {
  const { organizationId, url, description } = endpoint;
  const named = { id: encodeId("whe", endpoint.id), url, description };
  const event = endpointDisabled(organizationId, named, REASONS[reason]);
  const mailed = { id: named.id, url, reason: REASONS[reason] };
  const also = [
    ...eventStatements(hub.db, [event], hub.now(), isStill(endpoint)),
    ...await endpointDisabledMail(hub, organizationId, mailed, isStill(endpoint)),
  ];
  const disabled = await disableEndpoint(hub.db, endpoint, { reason, also }, hub.now(), by);
  if (disabled !== null) hub.log("endpoint.disabled", { endpoint: named.id, reason });
  return disabled !== null;
}

/** Stops every endpoint of somebody whose token has been deleted. Gives their public ids. */
export async function stopEndpointsOf(hub: Hub, maker: Pick<By, "kind" | "id">, by: By): Promise<string[]> {
  const stopped = new Set<string>();
  // One that is changed at this very moment is looked at again.
  for (let left = await listEndpointsOf(hub.db, actorOf(maker)); left.length > 0;) {
    for (const endpoint of left) {
      if (await switchOff(hub, endpoint, "revoked", by)) stopped.add(encodeId("whe", endpoint.id));
    }
    left = await listEndpointsOf(hub.db, actorOf(maker));
  }
  return [...stopped];
}
