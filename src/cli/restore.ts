/** `muster restore PLACE`: puts a backup in the place of the data directory's database. */
import { createOwner } from "../runtime/owner.ts";
import { type Config, loadConfig } from "../runtime/config.ts";
import { erasedListFile, readErased } from "../runtime/backups/erased-list.ts";
import { removePart } from "../runtime/backups/leftovers.ts";
import { findPlace } from "../runtime/backups/open-place.ts";
import type { BackupPlace } from "../runtime/backups/place.ts";
import { putInPlace } from "../runtime/backups/replace.ts";
import { type Unpacked, unpackForRestore, urlOf } from "../runtime/backups/restore.ts";
import type { BackupFacts } from "../runtime/backups/format.ts";
import { DONE, type Terminal } from "../runtime/command.ts";
import { openDatabase } from "../runtime/database.ts";
import { openSqlite, pathOf } from "../runtime/sqlite.ts";
import { byCommand } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { encodeId } from "../model/id.ts";
import { eraseAgain, type ErasedAgain } from "../people/erase-again.ts";
import { sleep } from "../std/sleep.ts";
import { toInstant } from "../std/time.ts";
import { resealAll } from "../store/connections/sealed.ts";
import { countedOver, countWaiting, markRestored, type Waiting } from "../store/restore.ts";
import { megabytes, requireFile } from "./backup.ts";
import { withHubOf } from "./open-hub.ts";

const BY = byCommand("restore");

export async function restore(
  values: { readonly replace?: boolean; readonly waiting?: string },
  terminal: Terminal,
  address: string,
): Promise<number> {
  const config = loadConfig(terminal.env, (line) => terminal.err(`${line}\n`));
  requireFile(config.databaseUrl, "restore");
  const given = waitingOf(values.waiting, '--waiting is "?"');
  const { place, name } = await findPlace(address, terminal.env);
  if (name === null) throw await unnamed(place);
  const unpacked = await unpackForRestore(config, place, name, values.replace ?? false);
  try {
    const waiting = await decideWaiting(unpacked, given, terminal);
    const again = await makeReady(config, unpacked, waiting, terminal);
    leaveAlone(unpacked.part);
    const kept = await putInPlace(unpacked.part, pathOf(config.databaseUrl), Date.now());
    summarize(unpacked.facts, kept, again, terminal);
    return DONE;
  } finally {
    await removePart(unpacked.part);
  }
}

/** How many backups a refusal lists. */
const LISTED = 50;

/** Which backup is meant is for the operator to say: the newest one may be what has to be undone. */
async function unnamed(place: BackupPlace): Promise<Fault> {
  const stored = await place.list(null);
  if (stored.length === 0) return new Fault("not_found", `${place.addressOf()} has no backups`);
  const lines = stored.slice(-LISTED).map(({ name, at, bytes }) =>
    `${toInstant(at)}  ${megabytes(bytes).padStart(10)}  ${place.addressOf(name)}`
  );
  const count = stored.length > LISTED
    ? `${stored.length} backups, the last ${LISTED} of which are`
    : counted(stored.length, "backup");
  return new Fault(
    "invalid_request",
    `${place.addressOf()} has ${count}; say which one to restore:\n${lines.join("\n")}`,
  );
}

function waitingOf(text: string | undefined, named: string): "send" | "drop" | null {
  if (text === undefined) return null;
  const word = text.trim().toLowerCase();
  if (word === "send" || word === "drop") return word;
  throw new Fault("invalid_request", `${named.replace("?", text)}: it should be send or drop`);
}

/** Asks what happens to what would be sent; nothing is asked where nothing waits. */
async function decideWaiting({ facts, part }: Unpacked, given: "send" | "drop" | null, terminal: Terminal) {
  const { db } = await openDatabase({ url: urlOf(part), authToken: null, role: "alone" });
  let waiting: Waiting;
  try {
    waiting = await countWaiting(db);
  } finally {
    db.close();
  }
  if (waiting.deliveries + waiting.mails === 0) return "send";
  const what =
    `${counted(waiting.deliveries, "webhook")} and ${counted(waiting.mails, "mail")} waited to be sent when ` +
    `the backup was made (${facts.created_at}), and may have been sent since`;
  if (given !== null) return given;
  if (terminal.ask === undefined) {
    throw new Fault("invalid_request", `${what}: say --waiting send or --waiting drop`);
  }
  const answer = await terminal.ask(`${what}. Send or drop them? `);
  if (answer === null) {
    throw new Fault("invalid_request", "There was no answer: say --waiting send or --waiting drop");
  }
  return waitingOf(answer, 'The answer is "?"')!;
}

/** Makes the unpacked database ready for a hub, by a hub of its own that nobody else uses. */
async function makeReady(
  config: Config,
  { facts, part, old }: Unpacked,
  waiting: "send" | "drop",
  terminal: Terminal,
): Promise<ErasedAgain> {
  const isSame = old.hubId === facts.hub_id;
  const listed = await readErased(erasedListFile(config), facts.hub_id);
  return await withHubOf({ ...config, databaseUrl: urlOf(part) }, terminal, async (hub) => {
    await resealAll(hub.db, hub.secrets);
    const now = hub.now();
    await markRestored(
      hub.db,
      {
        backupAt: Date.parse(facts.created_at),
        replaced: isSame ? old.sequences : new Map(),
        waiting,
      },
      now,
      BY,
    );
    // The same backup, restored elsewhere next, must not give the same numbers out.
    await sleep(countedOver(now) - hub.now());
    const { name: owner, isGone } = createOwner();
    const options = { signal: new AbortController().signal, owner, isGone, staging: hub.staging };
    return await eraseAgain(hub, [...new Set([...listed, ...isSame ? old.erased : []])], options, BY);
  });
}

/** Leaves the database as one file, without a log beside it that another database could be taken for. */
function leaveAlone(part: string): void {
  const file = openSqlite(urlOf(part));
  try {
    const [mode] = file.all("pragma journal_mode = delete");
    if (mode?.[0] !== "delete") throw new Fault("unavailable", `A process uses ${part}: repeat the restore`);
  } finally {
    file.close();
  }
}

function summarize(facts: BackupFacts, kept: string | null, again: ErasedAgain, terminal: Terminal): void {
  terminal.out(`Restored the backup of ${facts.created_at}`);
  if (kept !== null) terminal.out(`The database that was there is ${kept}: remove it once you do not need it`);
  if (again.people > 0) {
    terminal.out(`Erased again, as they were since then: ${counted(again.people, "person", "people")}`);
  }
  for (const run of again.cancelled) {
    terminal.out(`The run ${encodeId("run", run)} waited and was cancelled: its file may hold somebody who is erased`);
  }
  terminal.out("Tokens that were revoked and links that were ended since then are valid again: end them once more");
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
