/**
 * Limits on attempts in flight, so that one slow receiver does not delay others: a few at a time for each endpoint, fewer
 * if it fails, and neither all failing endpoints nor one organization ever take every place. No I/O.
 */
import type { Endpoint } from "../store/notify/endpoints.ts";
import { hasPlace } from "../std/turns.ts";

const MAX_TOGETHER = 256;
const MAX_FAILING = 128;
const MAX_OF_ORGANIZATION = 64;
const MAX_FAILING_OF_ORGANIZATION = 32;
const MAX_OF_ENDPOINT = 4;
const MAX_OF_FAILING_ENDPOINT = 1;

export interface Places {
  /** Attempts in flight. */
  readonly taken: number;
  readonly isFull: boolean;
  /** Endpoints that have as many attempts in flight as they may. */
  busyEndpoints(): number[];
  /** Whether the organization may have another attempt, at an endpoint that does not fail. */
  hasRoomFor(organizationId: number): boolean;
  hasRoomAt(endpoint: Endpoint): boolean;
  /** Takes a place for an attempt; call the result once to give it back. */
  take(endpoint: Endpoint): () => void;
  /** Whether the last attempt at the endpoint failed, as far as is known here. */
  noteHealth(endpointId: number, isFailing: boolean): void;
}

type Key = Pick<Endpoint, "id" | "organizationId">;

export function createPlaces(): Places {
  /** In flight by endpoint, by organization, and for failing endpoints by organization. */
  const ofEndpoint = createTally(), ofOrganization = createTally(), failingOfOrganization = createTally();
  const failing = new Set<number>();
  const isFailing = (endpoint: Endpoint) => endpoint.failingSince !== null || failing.has(endpoint.id);
  const isBusy = (id: number) => ofEndpoint.of(id) >= (failing.has(id) ? MAX_OF_FAILING_ENDPOINT : MAX_OF_ENDPOINT);

  function count({ id, organizationId }: Key, asFailing: boolean, by: number): void {
    ofEndpoint.add(id, by);
    ofOrganization.add(organizationId, by);
    if (asFailing) failingOfOrganization.add(organizationId, by);
  }

  return {
    get taken() {
      return ofEndpoint.total;
    },
    get isFull() {
      return ofEndpoint.total >= MAX_TOGETHER;
    },
    busyEndpoints: () => ofEndpoint.keys().filter(isBusy),
    hasRoomFor: (organizationId) =>
      hasPlace({
        mine: ofOrganization.of(organizationId),
        taken: ofEndpoint.total,
        all: MAX_TOGETHER,
        most: MAX_OF_ORGANIZATION,
      }),
    hasRoomAt(endpoint) {
      if (isBusy(endpoint.id)) return false;
      if (!isFailing(endpoint)) return true;
      return failingOfOrganization.total < MAX_FAILING &&
        failingOfOrganization.of(endpoint.organizationId) < MAX_FAILING_OF_ORGANIZATION;
    },
    take(endpoint) {
      // The same kind of place is given back, even if the endpoint has begun to fail by then.
      const asFailing = isFailing(endpoint);
      count(endpoint, asFailing, 1);
      return () => count(endpoint, asFailing, -1);
    },
    noteHealth(endpointId, isFailing) {
      if (isFailing) failing.add(endpointId);
      else failing.delete(endpointId);
    },
  };
}

/** Counts by key, and their total. Keys at zero are dropped. */
function createTally() {
  const counts = new Map<number, number>();
  let total = 0;
  const of = (key: number) => counts.get(key) ?? 0;
  return {
    of,
    keys: () => [...counts.keys()],
    add(key: number, by: number): void {
      total += by;
      const sum = of(key) + by;
      if (sum === 0) counts.delete(key);
      else counts.set(key, sum);
    },
    get total() {
      return total;
    },
  };
}
