/** The hub as the hosted server and the poller see it: they hand files over to it and report what they find. */
import { HubRefused, post } from "../ask-hub.ts";
import type { BridgeConnection, BridgeHub, HandedOver, LogIn, SeenFile, WholeFile } from "../contract.ts";
import { handOverFile } from "../hand-over.ts";
import { leftoversToAnswer, rememberLeftovers } from "../leftovers.ts";
import { noteOfErased, noteOfLeftover, writeNote } from "../not-used.ts";
import { keptName } from "../places.ts";
import { createLane } from "../../std/lanes.ts";
import type { Core, Entry, Serving } from "./core.ts";
import { whyNotHandedOver } from "./failures.ts";
import type { Found, LogIn as LogInAnswer, LogInAttempt, Unsettled, WasTaken } from "../../model/bridge-wire.ts";

/** Files that are handed over at once; each has two parts in memory. */
const MAX_HAND_OVERS = 4;

/** `openTransport` is called only once the core has it. */
export function createBridgeHub(core: Core, openTransport: Serving["openTransport"]): BridgeHub {
  const { options, ask, entries, stop } = core;
  const { log, now } = options;
  const handingOver = createLane(MAX_HAND_OVERS);

  return {
    connections: () => [...entries.values()].map(({ connection }) => connection),
    async handOver(connection, file, signal) {
      const both = AbortSignal.any([signal, stop.signal]);
      const leave = await handingOver.take(connection.id, both);
      try {
        const taken = await handOverFile(ask, connection, file, both, options.passed);
        const { drop, run, repeated } = taken;
        log("bridge.handed_over", { connection: connection.id, drop, run, bytes: file.bytes, repeated });
        return taken;
      } catch (error) {
        if (error instanceof HubRefused && error.code === "content_erased") {
          return await setErasedAside(core, openTransport, connection, file);
        }
        throw Object.assign(error as Error, { trouble: whyNotHandedOver(error) });
      } finally {
        leave();
      }
    },
    async reportListing(connection, files) {
      const entry = entries.get(connection.id);
      if (entry === undefined) return;
      const { folder, patterns } = connection.settings;
      entry.seen = rememberLeftovers(entry.seen, files, patterns, now());
      answerLeftovers(entry, now());
      const gone = entry.unsettled.filter((file) =>
        file.folder === folder && !files.some((each) => isSame(each, file))
      );
      entry.unsettled = entry.unsettled.filter((file) => !gone.includes(file));
      for (const file of gone) {
        await post(ask, `/files/${file.id}/settle`, {}, { signal: stop.signal });
      }
    },
    async isAlreadyTaken(connection, file) {
      const found: Found = {
        folder: connection.settings.folder,
        name: file.name,
        bytes: String(file.bytes),
        modified_at: String(file.modifiedAt),
      };
      const query = new URLSearchParams(found);
      const answer = await ask(`/connections/${connection.id}/taken?${query}`, { signal: stop.signal });
      return (await answer.json() as WasTaken).taken;
    },
    reportHealth(connection, trouble) {
      const entry = entries.get(connection.id);
      if (entry === undefined) return;
      if (trouble !== null && trouble.code !== entry.look.trouble?.code) {
        log("bridge.trouble", { connection: connection.id, code: trouble.code });
      }
      entry.look = { seenAt: now(), trouble };
    },
  };
}

/** Lets the hub check log-ins at the hosted server. */
export function createLogIn(core: Core): LogIn {
  const { ask, entries, stop } = core;
  return async ({ username, password, publicKey, address }) => {
    const answer = await ask("/logins", {
      json: { username, password, public_key: publicKey, address } satisfies LogInAttempt,
      attempts: 2,
      timeoutMs: 20_000,
      signal: stop.signal,
    });
    const { connection, proof } = await answer.json() as LogInAnswer;
    if (connection === null || proof === null) return null;
    const isKnown = () => entries.get(connection)?.held.lets_in.includes(proof) === true;
    // The connection, or its proof, may be newer than the last refresh.
    if (!isKnown()) await core.refresh();
    return isKnown() ? { connection, proof } : null;
  };
}

/** Has a note written about each file that is left, once. */
function answerLeftovers(entry: Entry, now: number): void {
  const left = leftoversToAnswer(entry.seen, now);
  const news = left.filter(({ name, since }) => entry.answered.get(name) !== since);
  entry.answered = new Map(left.map(({ name, since }) => [name, since]));
  if (news.length > 0) entry.notes = [...entry.notes, ...news.map((each) => noteOfLeftover(entry.connection, each))];
}

/** Writes the note first: if the bridge is killed then, it finds the file again, and writes the note once more. */
async function setErasedAside(
  { options: { log, now }, entries, stop }: Core,
  openTransport: Serving["openTransport"],
  connection: BridgeConnection,
  file: WholeFile,
): Promise<HandedOver> {
  const note = noteOfErased(connection, file, now());
  const entry = entries.get(connection.id);
  if (connection.mode === "hosted") {
    const transport = await openTransport(connection, stop.signal);
    await writeNote(connection, transport, note).finally(() => transport.close());
  } else if (entry !== undefined) entry.notes = [...entry.notes, note];
  log("bridge.held_erased", { connection: connection.id, bytes: file.bytes });
  const keptAs = keptName(file.name, now());
  return { drop: "", run: "", repeated: false, isOfErased: true, keptAs, settle: () => Promise.resolve() };
}

function isSame(seen: SeenFile, file: Unsettled): boolean {
  return seen.name === file.name && seen.bytes === file.bytes && seen.modifiedAt === file.modified_at;
}
