/**
 * Makes the request of a delivery: body and headers as Standard Webhooks has them, signed with the endpoint's secrets. It
 * is made at the moment of sending, from the stored event, with new links.
 */
import { Webhook } from "standardwebhooks";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { type Claimed, TEST_TYPE } from "../store/notify/deliveries.ts";
import { ALL_ORGANIZATIONS, type Endpoint, findReceiver } from "../store/notify/endpoints.ts";
import { type Event, findEvent } from "../store/notify/events.ts";
import { dataFor, MAX_ISSUES, nameOrganization, withValues } from "../model/event.ts";
import { allows } from "../model/scope.ts";
import { findOrganization, type Organization } from "../store/organizations.ts";
import { listPersonsIssues } from "../store/runs/persons-issues.ts";
import { findRun } from "../store/runs/runs.ts";
import { rightsWith } from "../model/link.ts";
import { type LinkKind, mintLinksWithin, PAGE_LINK_MS, REPORT_LINK_MS } from "./links.ts";
import { toInstant } from "../std/time.ts";

export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Data that many messages share, so that it is read and decrypted once. */
export interface Memory {
  /** Cleared at each round of the courier: an event's data is removed when a person is erased. */
  readonly events: Map<number, Promise<Event | null>>;
  /** Cleared at each round: an endpoint may have changed since its delivery was claimed. */
  readonly endpoints: Map<number, Promise<Endpoint | null>>;
  /** Cleared at each round: its slug may have changed. */
  readonly organizations: Map<number, Promise<Organization | null>>;
  readonly secrets: Map<string, Promise<string>>;
}

export function createMemory(): Memory {
  return { events: new Map(), endpoints: new Map(), organizations: new Map(), secrets: new Map() };
}

/** More than the secrets of all endpoints that are busy at once. */
const MAX_SECRETS = 1_000;

/** `lost`: why there is nothing to send any more. */
export async function makeMessage(
  hub: Hub,
  claimed: Claimed,
  memory = createMemory(),
): Promise<Message | { readonly lost: string }> {
  const { delivery } = claimed;
  const { type, eventId, eventAt, organizationId } = delivery;
  const { id: endpointId } = claimed.endpoint;
  const endpoint = await recall(memory.endpoints, endpointId, () => findReceiver(hub.db, organizationId, endpointId));
  if (endpoint === null || endpoint.status === "disabled") return { lost: "The endpoint was switched off" };
  // A test of an endpoint for all organizations, and that another of them was disabled, are of none.
  const isOfNone = organizationId === ALL_ORGANIZATIONS;
  const organization = isOfNone ? null : await recall(
    memory.organizations,
    organizationId,
    () => findOrganization(hub.db, organizationId),
  );
  if (organization === null && !isOfNone) return { lost: "The organization was deleted" };
  let data: object = { endpoint: { id: encodeId("whe", endpoint.id) } };
  if (type !== TEST_TYPE) {
    const event = await recall(memory.events, eventId, () => findEvent(hub.db, organizationId, eventId));
    if (event === null) return { lost: "The event is no longer retained" };
    data = await fillLinks(hub, { ...event, data: await dataAt(hub, event, endpoint) }, endpoint);
  }
  const body = JSON.stringify({
    type,
    timestamp: toInstant(eventAt),
    data: { organization: organization && nameOrganization(organization), ...data },
  });
  // The same in all attempts and at all endpoints, so that receivers can recognize duplicates.
  const id = encodeId("evt", eventId);
  const now = new Date(hub.now());
  const signatures = (await openSecrets(hub, endpoint, memory)).map((secret) =>
    new Webhook(secret).sign(id, now, body)
  );
  return {
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": "Muster",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
      "webhook-signature": signatures.join(" "),
    },
  };
}

/** The purpose under which the endpoint's secrets are sealed. */
export function secretPurpose(endpointId: number): string {
  return `webhook-endpoint:${encodeId("whe", endpointId)}`;
}

/** A new secret of 24 random bytes, as text. */
export function createSecretText(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(24))))}`;
}

async function openSecrets(hub: Hub, endpoint: Endpoint, { secrets }: Memory): Promise<string[]> {
  if (secrets.size > MAX_SECRETS) secrets.clear();
  const { id, secret, previousSecret, previousUntil } = endpoint;
  const isRotating = previousSecret !== null && previousUntil !== null && hub.now() < previousUntil;
  const sealed = isRotating ? [secret, previousSecret] : [secret];
  return await Promise.all(
    sealed.map((each) => recall(secrets, each, () => hub.secrets.open(secretPurpose(id), each))),
  );
}

/** Errors are not cached. */
function recall<K, V>(known: Map<K, Promise<V>>, key: K, find: () => Promise<V>): Promise<V> {
  let found = known.get(key);
  if (found === undefined) {
    found = find();
    known.set(key, found);
    found.catch(() => known.delete(key));
  }
  return found;
}

/** The event's data for the endpoint. Values are read when it is sent: the stored event has none. */
async function dataAt(hub: Hub, event: Event, { scopes, includeValues }: Endpoint): Promise<Event["data"]> {
  const data = dataFor(scopes, event);
  const { type, runId, organizationId } = event;
  if (type !== "run.failures" || !includeValues || !allows(scopes, "users:read") || runId === null) return data;
  const run = (await findRun(hub.db, organizationId, runId))?.run;
  const issues = run === undefined ? [] : await listPersonsIssues(hub.db, run, MAX_ISSUES, "people");
  // The report goes before its event when its connection's data is erased.
  return issues.length === 0 ? data : withValues(data, issues);
}

/** Fills in the event's links, with the rights of the endpoint's scopes; null where those allow none. */
async function fillLinks(
  hub: Hub,
  { data, runId, organizationId, createdAt }: Event,
  endpoint: Endpoint,
): Promise<object> {
  const { links } = data;
  if (runId === null || typeof links !== "object" || links === null) return data;
  const rights = rightsWith(endpoint.scopes);
  const terms = rights && { rights, made: createdAt, via: endpoint.id };
  // Nothing is left to decide about a run whose report is linked, so its page stays open as long as that.
  const pageMs = "csv" in links ? REPORT_LINK_MS : PAGE_LINK_MS;
  const minted = await mintLinksWithin(hub, { id: runId, organizationId }, terms, pageMs);
  return { ...data, links: Object.fromEntries(Object.keys(links).map((kind) => [kind, minted[kind as LinkKind]])) };
}
