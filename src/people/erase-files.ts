/**
 * Which files of an organization may hold a person: every drop and upload of the connections that know them, and any
 * other file that mentions them. A file that cannot be searched counts as theirs, unless it was read to its end and they
 * were not in it. Encrypted files are decrypted for the search; one that no key of the hub opens any more counts as
 * deleted.
 */
import { Fault } from "../model/errors.ts";
import { charsetOf, findCharset } from "../model/charset.ts";
import { isEncryptedDrop } from "../intake/decrypt.ts";
import { openUsed } from "../runs/open-drop.ts";
import { searchContent } from "./search-content.ts";
import { findConnectionById } from "../store/connections/connections.ts";
import type { Database } from "../store/database.ts";
import { EVERYWHERE, openDrop } from "../store/runs/drop-content.ts";
import type { Drop } from "../store/runs/drops.ts";
import {
  type FoundInFiles,
  isKeyed,
  type KeptDrop,
  keyedForms,
  listTakenFiles,
  readDrops,
  type TakenFile,
} from "../store/people/erased-files.ts";
import type { PersonSearch } from "./person-search.ts";

/** Runs that read their input to its end, so that everyone in it is known. */
const READ_TO_THE_END = ["succeeded", "partial"];

/** Whether a drop holds the person, by its id. A sealed drop is searched only once. */
export type SearchedDrops = Map<number, boolean>;

/** Adds to `search.connections` those that turn out to have files of the person. */
export async function findInFiles(search: PersonSearch, searched: SearchedDrops): Promise<FoundInFiles> {
  const { hub, organizationId, traces, connections } = search;
  const kept: KeptDrop[] = [];
  for await (const each of readDrops(hub.db, organizationId)) kept.push(each);
  const taken = await listTakenFiles(hub.db, organizationId);
  const look = async (each: KeptDrop) => {
    const known = searched.get(each.drop.id);
    if (known !== undefined) return known;
    const found = await mayHold(search, each);
    if (each.drop.sha256 !== null) searched.set(each.drop.id, found);
    return found;
  };

  for (const each of kept) {
    const { connectionId, name } = each.drop;
    if (connections.has(connectionId)) continue;
    if (traces.isNamedIn(name) || (each.hasContent && await look(each))) connections.add(connectionId);
  }
  for (const { connectionId, name } of taken) if (traces.isNamedIn(name)) connections.add(connectionId);

  const gone = kept.filter(({ drop }) => connections.has(drop.connectionId)).map(({ drop }) => drop);
  return {
    drops: gone.filter(({ sha256 }) => sha256 !== null).map(({ id }) => id),
    uploads: gone.filter(({ sha256 }) => sha256 === null).map(({ id }) => id),
    taken: await findTaken(search, taken.filter(({ connectionId }) => connections.has(connectionId)), kept, look),
  };
}

/** A file that did not hold the person keeps its digest: the same content may come again. */
async function findTaken(
  { hub, traces }: PersonSearch,
  taken: readonly TakenFile[],
  kept: readonly KeptDrop[],
  look: (each: KeptDrop) => Promise<boolean>,
): Promise<FoundInFiles["taken"]> {
  const byDrop = new Map(kept.map((each) => [each.drop.id, each]));
  const isHeld = new Map<string, boolean>();
  for (const { dropId, sha256, entity } of taken) {
    if (isHeld.has(sha256)) continue;
    const each = byDrop.get(dropId);
    if (entity === "departments") isHeld.set(sha256, false);
    else if (each?.hasContent === true) isHeld.set(sha256, await look(each));
  }
  const found: [number, string, string][] = [];
  for (const { id, sha256, name, isSettled } of taken) {
    // Content that is no longer stored might have held anyone.
    const isTheirs = !isKeyed(sha256) && isHeld.get(sha256) !== false;
    const isNamed = !isKeyed(name) && isSettled && (isTheirs || isKeyed(sha256) || traces.isNamedIn(name));
    if (!isTheirs && !isNamed) continue;
    const [digest = `erased ${id}`] = await keyedForms(hub.secrets, sha256);
    const [other = `erased ${id}`] = await keyedForms(hub.secrets, name);
    found.push([id, isTheirs ? digest : sha256, isNamed ? other : name]);
  }
  return found;
}

async function mayHold({ hub, traces, renew }: PersonSearch, { drop, run }: KeptDrop): Promise<boolean> {
  const { db, packing = EVERYWHERE } = hub;
  const wasRead = run !== null && READ_TO_THE_END.includes(run.status);
  const kept = openDrop(db, drop, packing);
  const isOpened = wasRead && await isEncryptedDrop(kept);
  const source = isOpened ? await openUsed(hub, drop) : kept;
  if (source === null) return false;
  let began = performance.now();
  const step = async () => {
    await renew();
    await packing.breathe(performance.now() - began);
    began = performance.now();
  };
  const about = { anyway: wasRead, charset: await declaredCharset(hub.db, drop) };
  const searched = await searchContent(source.open(), traces.isInText, step, about).catch((error) => {
    // It could be opened before, so the file itself is not at fault: in doubt it is theirs.
    if (isOpened && error instanceof Fault && error.code !== "conflict") return "found" as const;
    throw error;
  });
  return searched === "unreadable" ? !wasRead : searched === "found";
}

/** The encoding that a drop is read in, by its sender or its connection. Null: neither declares one. */
async function declaredCharset(
  db: Database,
  { organizationId, connectionId, contentType }: Drop,
): Promise<string | null> {
  const connection = await findConnectionById(db, organizationId, connectionId);
  const label = charsetOf(contentType) ?? connection?.settings.charset;
  return typeof label === "string" ? findCharset(label) : null;
}
