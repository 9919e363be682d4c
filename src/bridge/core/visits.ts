/** The core's own visits to the connections' servers: it writes reports and notes, and removes old files. */
import { DAY_MS } from "../../std/time.ts";
import type { LeftFile } from "../../model/bridge-wire.ts";
import { type AskHub, HubUnreachable, post } from "../ask-hub.ts";
import { bringBack, tidy } from "../bring-back.ts";
import type { BridgeConnection } from "../contract.ts";
import { type Note, writeNote } from "../not-used.ts";
import { isRefusal } from "../trouble.ts";
import type { Entry, Serving } from "./core.ts";
import { describe, whyNotReturned } from "./failures.ts";

/** Visits at once. */
const MAX_VISITS = 8;
const VISIT_TIMEOUT_MS = 300_000;
const FIRST_PAUSE_MS = 60_000, LONGEST_PAUSE_MS = 3_600_000;

/** Returns what starts the visits that are due, one at a time per connection. To be called after every refresh. */
export function createVisits(core: Serving): () => void {
  const { now } = core.options;
  let visits = 0;
  return () => {
    for (const entry of core.entries.values()) {
      if (entry.held.returning.length === 0) entry.notReturned = null;
      if (entry.busy || entry.pauseUntil > now() || visits >= MAX_VISITS) continue;
      const isTidyDue = entry.tidyAt <= now();
      if (entry.held.returning.length === 0 && entry.notes.length === 0 && !isTidyDue) continue;
      entry.busy = true;
      visits++;
      core.inBackground(
        visit(core, entry, isTidyDue).finally(() => {
          entry.busy = false;
          visits--;
        }),
      );
    }
  };
}

async function visit(core: Serving, entry: Entry, isTidyDue: boolean): Promise<void> {
  const { options: { log, now }, stop } = core;
  const { connection } = entry;
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(VISIT_TIMEOUT_MS)]);
  try {
    if (entry.held.returning.length > 0) await returnReports(core, entry, signal);
    if (entry.notes.length > 0) await writeNotes(core, entry, signal);
    if (isTidyDue) await tidyUp(core, entry, signal);
    entry.failures = 0;
  } catch (error) {
    if (stop.signal.aborted) return;
    entry.pauseUntil = now() + Math.min(FIRST_PAUSE_MS * 2 ** entry.failures++, LONGEST_PAUSE_MS);
    log("bridge.not_brought_back", { connection: connection.id, ...describe(error) });
    if (entry.held.returning.length > 0 && !(error instanceof HubUnreachable)) {
      entry.notReturned = whyNotReturned(connection, error);
    }
  }
}

async function returnReports({ options, ask, openTransport }: Serving, entry: Entry, signal: AbortSignal) {
  const { connection, held: { returning } } = entry;
  await bringBack(ask, connection, returning, () => openTransport(connection, signal));
  options.log("bridge.brought_back", { connection: connection.id, count: returning.length });
  // The hub's list is out of date until the next refresh.
  entry.held = { ...entry.held, returning: [] };
}

async function writeNotes({ ask, openTransport }: Serving, entry: Entry, signal: AbortSignal): Promise<void> {
  const { connection } = entry;
  const transport = await openTransport(connection, signal);
  try {
    for (const note of entry.notes) {
      if (isStillTrue(note, entry)) {
        await writeNote(connection, transport, note).catch((error) => mailInstead(ask, connection, note, error));
      }
      entry.notes = entry.notes.filter((each) => each !== note);
    }
  } finally {
    await transport.close();
  }
}

function isStillTrue({ about }: Note, { seen }: Entry): boolean {
  return about === null || seen.get(about.name)?.since === about.since;
}

/** A server that can only be read: the hub mails the technical contact. */
async function mailInstead(ask: AskHub, { id }: BridgeConnection, { about }: Note, error: unknown): Promise<void> {
  if (about === null || !isRefusal(error)) throw error;
  await post(ask, `/connections/${id}/not-used`, about satisfies LeftFile);
}

async function tidyUp({ options: { log, now }, openTransport }: Serving, entry: Entry, signal: AbortSignal) {
  const { connection } = entry;
  const transport = await openTransport(connection, signal);
  try {
    const tidied = tidy(connection, transport, now());
    // A server that can only be read is left as it is.
    const count = await (connection.settings.after === "leave" ? tidied.catch(() => 0) : tidied);
    if (count > 0) log("bridge.tidied", { connection: connection.id, count });
  } finally {
    await transport.close();
  }
  entry.tidyAt = now() + DAY_MS;
}
