/** A user being changed by a record, and the outcome. Pure. */
import type { ChangeAction } from "../../model/change.ts";
import type { ResolvedPolicy } from "../../model/policy.ts";
import type { Issue } from "../../model/record.ts";
import type { Image, ImageColumn, Stored } from "../image.ts";
import type { Elsewhere } from "../elsewhere.ts";
import { BY_HAND, editedByHand, fieldSourcesOf, type KnownLink, type KnownUser, sourceOf } from "../person.ts";
import type { Phones } from "../phones.ts";
import type { Ranks } from "../ranks.ts";
import type { Validated } from "../validated.ts";

export interface DecideContext {
  readonly connectionId: number;
  readonly policy: ResolvedPolicy;
  /** ISO date in the organization's time zone. */
  readonly today: string;
  readonly phones: Phones;
  /** Keys of the organization's custom fields. */
  readonly customKeys: ReadonlySet<string>;
  /** Whether the input came by hand. */
  readonly byHand: boolean;
  /** Whether this connection has ever read who is active. */
  readonly readsStatus: () => boolean;
  /** How much its word counts against those of other connections. */
  readonly ranks: Ranks;
  /** A department's id by name; plans it when it is new. */
  readonly department: (name: string) => { readonly id: number; readonly active: boolean };
  /** The name of a department; null: there is none with this id. */
  readonly departmentName: (id: number) => string | null;
}

/** Who would write a field. */
export type Writing = Pick<DecideContext, "connectionId" | "ranks" | "byHand"> & {
  readonly policy: Pick<ResolvedPolicy, "manual_edits">;
};

export interface Decision {
  readonly action: ChangeAction | "unchanged" | "skipped";
  readonly reason: string | null;
  /** The user as it will be. */
  readonly after: Image;
  readonly before: Partial<Record<ImageColumn, Stored>> | null;
  /** Warnings from the comparison with the user. */
  readonly issues: readonly Issue[];
  /** Whether the same record, compared with the resulting user, would change and report nothing. */
  readonly settled: boolean;
  /** An existing user's email, employee_id or both names change. */
  readonly identity: boolean;
  /** The change takes the place of a value: it does more than fill empty fields. */
  readonly overwrites: boolean;
  /** The user gains a deactivation_date, or an earlier one. */
  readonly advancesDeactivation: boolean;
  /** Fields whose values are withheld, as link.withheld will be. */
  readonly withheld: Record<string, string> | null;
  /** Whether the person was set active by hand, which this record ends, though nothing else of them changes. */
  readonly endsEdit: boolean;
}

/** The state of one decision, about one record and one user. */
export interface Revision {
  readonly record: Validated;
  readonly user: KnownUser;
  readonly link: KnownLink | null;
  readonly elsewhere: Elsewhere;
  readonly context: DecideContext;
  readonly after: Image;
  readonly issues: Issue[];
  readonly withheld: Record<string, string>;
  /** Fields that were last edited by hand. */
  edited: Set<string>;
  /** Fields that another connection than the user's own wrote last. */
  sources: Record<string, number>;
  settled: boolean;
  /** Whether some field was written. */
  wrote: boolean;
  /** Whether the record would change the status, and the policy switches such changes off. */
  switchedOff: boolean;
  /** The change of the status. */
  action: "deactivate" | "reactivate" | null;
  reason: string | null;
}

export function startRevision(
  record: Validated,
  user: KnownUser,
  link: KnownLink | null,
  elsewhere: Elsewhere,
  context: DecideContext,
): Revision {
  return {
    record,
    user,
    link,
    elsewhere,
    context,
    after: user.image.slice(),
    issues: [],
    withheld: {},
    edited: new Set(editedByHand(user.image)),
    sources: { ...fieldSourcesOf(user.image) },
    settled: !record.deactivationFuture,
    wrote: false,
    switchedOff: false,
    action: null,
    reason: null,
  };
}

/** Notes this connection, or a hand, as the last writer of the field. `value`: null where it is emptied. */
export function noteWritten(revision: Revision, field: string, value: unknown): void {
  const { user, context, sources, edited, elsewhere } = revision;
  revision.wrote = true;
  if (elsewhere.isEdit) {
    sources[field] = BY_HAND;
    edited.add(field);
    return;
  }
  const made = sourceOf(user.image), own = context.connectionId;
  // An empty field is anybody's to fill. Who has emptied what another wrote has to be known, or they would take turns.
  if (value === null ? (sources[field] ?? made) === own : made === own) delete sources[field];
  else sources[field] = context.connectionId;
  edited.delete(field);
}

/** Whether another connection wrote the field, or made the user (`owner`), whose word counts more than this one's. */
export function isOutranked(owner: number | null, { byHand }: Elsewhere, context: Writing): boolean {
  if (owner === null || owner === BY_HAND || owner === context.connectionId) return false;
  return context.ranks.outranks(owner, context.byHand || byHand.has(owner));
}

/** Notes a withheld value; returns whether this value was not reported before. */
export function noteWithheld({ withheld, link }: Revision, field: string, value: string): boolean {
  withheld[field] = value;
  return link?.withheld?.[field] !== value;
}
