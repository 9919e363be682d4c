/** People as the planner knows them, and what it is told of a connection. */
import { createPhones } from "../../src/reconcile/phones.ts";
import type { DecideContext } from "../../src/reconcile/decide/revision.ts";
import { IMAGE, type ImageColumn, type Stored } from "../../src/reconcile/image.ts";
import { createRanks } from "../../src/reconcile/ranks.ts";
import type { Found } from "../../src/reconcile/match.ts";
import type { KnownLink, KnownUser } from "../../src/reconcile/person.ts";
import type { Validated, Values } from "../../src/reconcile/validated.ts";
import { DEFAULT_POLICY, type ResolvedPolicy } from "../../src/model/policy.ts";

/** The connection that every record here comes from. */
export const CONNECTION = 1;

/** An active user whom the connection made; `columns` are as stored. */
export function knownUser(id: number, columns: Partial<Record<ImageColumn, Stored>> = {}): KnownUser {
  const all: Partial<Record<ImageColumn, Stored>> = {
    status: "active",
    on_leave: 0,
    source_id: CONNECTION,
    first_name: "Ana",
    last_name: "Ng",
    ...columns,
  };
  return { id, version: 3, lastPage: null, image: IMAGE.map((column) => all[column] ?? null) };
}

export function linkTo(userId: number, more: Partial<KnownLink> = {}): KnownLink {
  return {
    key: "E1",
    userId,
    active: true,
    filtered: false,
    byHand: false,
    missingSince: null,
    missingFrom: null,
    absentFrom: null,
    withheld: null,
    ...more,
  };
}

/** A record without mistakes. */
export function recordOf(values: Values, more: Partial<Validated> = {}): Validated {
  return {
    key: "E1",
    values,
    active: true,
    activeReason: null,
    activeIfNew: true,
    saysNothing: false,
    isBlank: false,
    deactivationFuture: false,
    issues: [],
    notes: [],
    fatal: false,
    keyFatal: false,
    ...more,
  };
}

export const NOTHING_FOUND: Found = {
  link: null,
  linkedUser: null,
  byEmployeeId: null,
  byEmail: [],
  byPhone: [],
  spelledAlike: [],
};

/** `outranks`: the connections whose word counts more. */
export function decideContext(
  { policy = {}, outranks = [], byHand = false, readsStatus = true }: {
    policy?: Partial<ResolvedPolicy>;
    outranks?: readonly number[];
    byHand?: boolean;
    readsStatus?: boolean;
  } = {},
): DecideContext {
  const peer = (id: number, priority: number) => ({
    id,
    priority,
    createdAt: id,
    readsStatus: true,
    isDiff: false,
    hasLinks: true,
    keepsEdits: false,
  });
  return {
    connectionId: CONNECTION,
    policy: { ...DEFAULT_POLICY, ...policy },
    today: "2026-03-01",
    phones: createPhones(null),
    customKeys: new Set(["shoe"]),
    byHand,
    readsStatus: () => readsStatus,
    ranks: createRanks(CONNECTION, [peer(CONNECTION, 0), ...outranks.map((id) => peer(id, 1))]),
    department: (name) => ({ id: 70, active: name !== "Closed" }),
    departmentName: (id) => id === 70 ? "Sales" : null,
  };
}
