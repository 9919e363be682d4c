/** Which connections the bridge holds: those in the hub's list, which it asks for every few seconds. */
import { HubRefused } from "../ask-hub.ts";
import type { SftpSecrets } from "../contract.ts";
import { spread } from "../../std/spread.ts";
import { HOUR_MS } from "../../std/time.ts";
import type { Entry, Serving } from "./core.ts";
import type { Connections, Held } from "../../model/bridge-wire.ts";
import { sameOutside, toConnection } from "./wire.ts";

/** Resolves with the milliseconds until the next call is due. Not to be called twice at once. */
export async function refreshConnections(core: Serving): Promise<number> {
  const { ask, entries, stop, server, poller } = core;
  const answer = await ask("/connections", { json: {}, attempts: 1, signal: stop.signal });
  const { connections, erasures = [], ask_every_seconds } = await answer.json() as Connections;
  core.toErase = erasures;
  const gone = [...entries.keys()].filter((each) => !connections.some((held) => held.id === each));
  for (const each of gone) entries.delete(each);
  if (gone.length > 0) core.tendAt = 0;
  let moved = gone.length > 0;
  for (const held of connections) moved = await follow(core, held) || moved;
  if (moved) {
    server?.changed();
    poller.changed();
  }
  return ask_every_seconds * 1000;
}

/** Whether anything about the connection has changed. */
async function follow(core: Serving, held: Held): Promise<boolean> {
  const { entries } = core;
  const before = entries.get(held.id);
  const secretsMoved = (before?.secretsVersion ?? null) !== held.secrets_version;
  if (before !== undefined && before.held.version === held.version && !secretsMoved && sameOutside(before.held, held)) {
    before.held = held;
    before.unsettled = held.unsettled;
    return false;
  }
  const secrets = held.secrets_version === null
    ? {}
    : secretsMoved || before === undefined
    ? await fetchSecrets(core, held)
    : before.connection.secrets;
  if (secrets === null) return false;
  entries.set(held.id, {
    ...(before ?? newEntry(held.id, core.options.now())),
    held,
    unsettled: held.unsettled,
    secretsVersion: held.secrets_version,
    connection: toConnection(held, secrets),
  });
  return true;
}

/** Null: the hub refuses to send them. */
async function fetchSecrets({ ask, key, stop, options }: Serving, { id }: Held): Promise<SftpSecrets | null> {
  try {
    const answer = await ask(`/connections/${id}/secrets`, { json: {}, signal: stop.signal });
    const { jwe } = await answer.json() as { jwe: string };
    const { password, private_key, passphrase } = JSON.parse(await key.decrypt(jwe)) as Record<string, string>;
    return { password, privateKey: private_key, passphrase };
  } catch (error) {
    if (!(error instanceof HubRefused)) throw error;
    options.log("bridge.no_secrets", { code: error.code });
    return null;
  }
}

function newEntry(id: string, now: number): Omit<Entry, "held" | "connection" | "secretsVersion" | "unsettled"> {
  return {
    seen: new Map(),
    look: { seenAt: null, trouble: null },
    notReturned: null,
    notes: [],
    answered: new Map(),
    reported: "",
    busy: false,
    pauseUntil: 0,
    failures: 0,
    // Spread over an hour, so that not all are tidied at once after a start.
    tidyAt: now + spread(id, HOUR_MS),
  };
}
