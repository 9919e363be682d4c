/**
 * Erases leavers and deletes history, as each organization has set it. Once a day a pass decides who is due, or holds
 * because they are too many at once; what it has decided is done a little at each call. Several processes may call it,
 * and it may be killed anywhere: whose pass is moved on is not decided again, and who is erased is not due any more.
 */
import { BY_RETENTION } from "../model/audit.ts";
import { retentionHeld } from "../model/event.ts";
import { historyDueAt, leaversDueAt, monthsBefore, passDue, type Retention } from "../model/retention.ts";
import type { Hub } from "../hub.ts";
import { mailWithoutRun } from "../notify/queue-mails.ts";
import { type Attempted, eraseOnce } from "../people/erase.ts";
import { limitAtOnce } from "../people/retention-limit.ts";
import {
  countLeaving,
  isAmong,
  isHeldBack,
  leaveForLater,
  type Leaving,
  listLeaving,
} from "../store/people/leavers.ts";
import { eventStatements } from "../store/notify/events.ts";
import type { Organization } from "../store/organizations.ts";
import { type Decision, isRetentionAsRead, listRetaining, writeDecision } from "../store/retention.ts";
import { deleteSome, findOldest } from "../store/runs/old-history.ts";
import { encodeId } from "../model/id.ts";
import { DAY_MS } from "../std/time.ts";

/** After this time no further step begins; runs and other upkeep wait meanwhile. */
const BRIEF_MS = 5_000;
/** People who are erased in one call. Each takes up to some seconds. */
const AT_ONCE = 10;
/** A row that would make a leaver somebody else is undecided for so long: the next file of the month would show it again. */
const UNDECIDED_MS = 62 * DAY_MS;

export async function applyRetention(hub: Hub, elapsed: () => number = () => performance.now()): Promise<void> {
  const endsAt = elapsed() + BRIEF_MS;
  const isOver = () => elapsed() >= endsAt;
  for (const organization of await listRetaining(hub.db)) await decide(hub, organization);
  let left = AT_ONCE;
  for (const organization of inTurn(await listRetaining(hub.db), hub.now())) {
    if (organization.erasingUntil !== null) left -= await eraseDue(hub, organization, left, isOver);
    if (organization.historyLeft) await deleteOld(hub, organization, isOver);
    if (isOver() || left <= 0) return;
  }
}

/** Begins with another one each minute, as one with much to do may take all of the time. */
function inTurn(all: readonly Organization[], now: number): Organization[] {
  const first = all.length === 0 ? 0 : Math.floor(now / 60_000) % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/** The daily pass of an organization, if it is time for it. */
async function decide(hub: Hub, organization: Organization): Promise<void> {
  const { db } = hub;
  const now = hub.now(), { retentionAt, retentionHeld: before } = organization;
  const due = passDue(retentionAt, now);
  if (due === "none") return;
  if (due === "note") {
    // What was decided by a clock that was ahead is not done.
    const isBack = retentionAt !== null && now < retentionAt;
    const noted = { retentionAt: now, ...(isBack ? undecided(organization, now) : {}) };
    await writeDecision(db, organization, noted, { by: BY_RETENTION, now });
    return;
  }
  const { people, limit } = await dueNow(hub, organization, now);
  const isHeld = people > limit;
  const decision = isHeld
    ? { retentionAt: now, retentionHeld: people }
    : { retentionAt: now, retentionHeld: null, ...await toDo(hub, organization, people, now) };
  const isNew = isHeld && before === null;
  const actions = isNew ? ["retention.held" as const] : "historyUntil" in decision ? ["history.deleted" as const] : [];
  const also = isNew ? await announce(hub, organization, { people, limit }) : [];
  if (!await writeDecision(db, organization, decision, { by: BY_RETENTION, now, actions, also })) return;
  if (isHeld || people > 0) {
    hub.log(isHeld ? "retention.held" : "retention.due", {
      organization: encodeId("org", organization.id),
      people,
      limit,
    });
  }
}

/** Nobody is held or erased, and history is deleted no further than it may be at `now`. */
function undecided({ retention, historyUntil }: Organization, now: number): Decision {
  const { history_months: months } = retention!;
  const until = historyUntil === null || months === null
    ? historyUntil
    : Math.min(historyUntil, monthsBefore(now, months));
  return { retentionHeld: null, erasingUntil: null, historyUntil: until, historyLeft: false };
}

/** How many people a pass would erase who are not being erased already, and how many it may. */
async function dueNow(
  { db }: Hub,
  { id, retention, erasingUntil }: Organization,
  now: number,
): Promise<{ people: number; limit: number }> {
  const until = leaversDueAt(retention!, now);
  if (until === null) return { people: 0, limit: 0 };
  const people = await countLeaving(db, { organizationId: id, until, after: erasingUntil });
  return { people, limit: await limitAtOnce(db, id, retention!) };
}

/** What a pass that does not hold decides. */
async function toDo(
  { db }: Hub,
  { id, retention, historyUntil }: Organization,
  people: number,
  now: number,
): Promise<Decision> {
  const until = await oldHistory(db, id, retention!, historyUntil, now);
  return {
    ...(people === 0 ? {} : { erasingUntil: leaversDueAt(retention!, now) }),
    ...(until === null ? {} : { historyUntil: until, historyLeft: true }),
  };
}

async function oldHistory(
  db: Hub["db"],
  organizationId: number,
  retention: Retention,
  deleted: number | null,
  now: number,
): Promise<number | null> {
  if (retention.history_months === null) return null;
  return historyDueAt(retention, now, { deleted, oldest: await findOldest(db, organizationId) });
}

/** Statements of the event and the mail by which people learn that a pass holds; a later pass that holds says nothing. */
async function announce(hub: Hub, organization: Organization, { people, limit }: { people: number; limit: number }) {
  const { id: organizationId } = organization;
  const still = isRetentionAsRead(organization);
  const facts = { retention: { people, limit } };
  return [
    ...eventStatements(hub.db, [retentionHeld(organizationId, people, limit)], hub.now(), still),
    ...await mailWithoutRun(hub, { organizationId, connectionId: null, type: "retention.held", facts }, still),
  ];
}

/** Erases up to `most` people whom a pass or an approval lets be erased; returns how many it has tried. */
async function eraseDue(hub: Hub, organization: Organization, most: number, isOver: () => boolean): Promise<number> {
  const { db } = hub;
  const { id: organizationId, retention, erasingUntil } = organization;
  // By the clock of this process as well: the one that decided may be ahead.
  const until = Math.min(erasingUntil!, leaversDueAt(retention!, hub.now()) ?? -Infinity);
  const passAt = organization.retentionAt ?? 0;
  const leaving = { organizationId, until };
  const ids = Number.isFinite(until) ? await listLeaving(db, leaving, passAt, most) : [];
  // Who has to wait was counted and approved: the next pass tries again, and does not count them again.
  if (ids.length === 0 && await countLeaving(db, { organizationId, until: erasingUntil! }) === 0) {
    await writeDecision(db, organization, { erasingUntil: null }, { by: BY_RETENTION, now: hub.now() });
  }
  let tried = 0, erased = 0;
  for (const userId of ids) {
    if (isOver()) break;
    const end = await eraseLeaver(hub, leaving, userId);
    if (end === "busy") break;
    tried++;
    if (end === "erased") erased++;
    else await db.write([leaveForLater(db, userId, passAt)]);
  }
  if (tried > 0) {
    hub.log("retention.erased", {
      organization: encodeId("org", organizationId),
      people: erased,
      waiting: tried - erased,
    });
  }
  return tried;
}

async function eraseLeaver(hub: Hub, leaving: Leaving, userId: number): Promise<Attempted["end"] | "failed"> {
  const { organizationId } = leaving;
  const isWanted = async () =>
    await isAmong(hub.db, leaving, userId) &&
    !await isHeldBack(hub.db, { organizationId, userId, conflictsSince: hub.now() - UNDECIDED_MS });
  try {
    return (await eraseOnce(hub, { organizationId, userId, by: BY_RETENTION, isWanted })).end;
  } catch (error) {
    // One person who cannot be erased must not keep the others; the next pass tries again.
    const name = error instanceof Error ? error.name : "unknown";
    hub.log("retention.failed", {
      organization: encodeId("org", organizationId),
      user: encodeId("usr", userId),
      error: name,
    });
    return "failed";
  }
}

async function deleteOld(hub: Hub, organization: Organization, isOver: () => boolean): Promise<void> {
  const old = { organizationId: organization.id, until: organization.historyUntil! };
  while (!isOver()) {
    if (await deleteSome(hub.db, old)) continue;
    await writeDecision(hub.db, organization, { historyLeft: false }, { by: BY_RETENTION, now: hub.now() });
    return;
  }
}
