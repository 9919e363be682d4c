/**
 * One visit of a remote server: it lists the folder, takes files that are whole, oldest first, and puts them away.
 *
 * A file that cannot be taken now stops those behind it, since the order of files is part of what they mean. Only a file
 * that can never be taken as it is, is skipped.
 */
import type { BridgeHub, HandedOver, SeenFile } from "../contract.ts";
import { nameOfNote } from "../not-used.ts";
import { companionOf, isMeant, isTemporary, placeOf } from "../places.ts";
import { ConnectionError, troubleOf } from "../trouble.ts";
import { join } from "./folders.ts";
import { putAway } from "./put-away.ts";
import { readDigest, readFile, WrongDigest } from "./read.ts";
import { Refused, type Session } from "./session.ts";
import { type Candidate, look, type Sightings } from "./whole.ts";
import { tooLargeInWords } from "../../std/size.ts";

/** What is known of a connection from one visit to the next. In memory alone. */
export interface Memory {
  readonly sightings: Sightings;
  /** By name: files that the hub has taken and that could not be put away. */
  readonly pending: Map<string, { readonly file: Candidate; readonly handed: HandedOver }>;
  /** By name: files that were taken and are left where they are. The hub is asked about each once. */
  readonly left: Map<string, SeenFile>;
  /** By name: files without the digest in their companion. Not read again until one of both changes. */
  readonly wrong: Map<string, { readonly mark: string; readonly trouble: WrongDigest }>;
  /** By name: files that the hub has refused as too large. */
  readonly tooLarge: Map<string, SeenFile>;
}

export function createMemory(): Memory {
  return { sightings: new Map(), pending: new Map(), left: new Map(), wrong: new Map(), tooLarge: new Map() };
}

export interface VisitOptions {
  readonly hub: BridgeHub;
  readonly memory: Memory;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsed: () => number;
  /** Resolves when a file may be read, as only a few are at once. To be released. */
  readonly transfer: () => Promise<() => void>;
  readonly signal: AbortSignal;
}

export interface Visited {
  /** When a waiting file may be whole, on the clock of `elapsed`; null: none waits. */
  readonly nextAt: number | null;
  /** The first trouble with a file, though the server could be visited. */
  readonly trouble: ConnectionError | null;
  /** Whether whole files were left because of it. */
  readonly isStopped: boolean;
}

/** Fails with ConnectionError when the visit could not be completed. */
export async function visit(session: Session, options: VisitOptions): Promise<Visited> {
  const { connection, limits } = session;
  const { hub, memory } = options;
  const { folder, patterns, after } = connection.settings;
  const { files, isCut, unnameable } = await listFolder(session);
  const troubles: ConnectionError[] = [];
  if (unnameable > 0) {
    troubles.push(
      new ConnectionError("failed", `${unnameable} files in "${folder}" are left: their names are not UTF-8`),
    );
  }
  if (isCut && after === "leave") {
    const most = limits.maxFiles;
    troubles.push(
      new ConnectionError("failed", `"${folder}" has more than ${most} files: only the newest are looked at`),
    );
  }
  const { candidates, nextAt } = look(memory.sightings, files, patterns, options.elapsed());
  forgetGone(memory, candidates);
  const report = async () => {
    // Only a complete listing shows which files are gone.
    if (!isCut) await ofHub(hub.reportListing(connection, listingForHub(files, candidates, session, memory)));
  };
  await report();

  const whole: Candidate[] = [];
  for (const file of candidates) {
    const pending = memory.pending.get(file.name);
    if (pending !== undefined && isSameFile(pending.file, file)) {
      const trouble = await finish(session, file, pending.handed, memory);
      if (trouble !== null) troubles.push(trouble);
      continue;
    }
    if (after === "leave" && await isLeft(file, session, options)) continue;
    const never = whyNever(file, memory, limits.maxBytes);
    if (never !== null) troubles.push(never);
    else if (file.isWhole) whole.push(file);
    else break;
  }
  let isAnyRefused = false;
  for (const [i, file] of whole.entries()) {
    try {
      const handed = await take(session, file, i + 1 < whole.length, options);
      const trouble = await finish(session, file, handed, memory);
      if (trouble !== null) troubles.push(trouble);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      troubles.push(error);
      const isPassedBy = error instanceof WrongDigest || error.trouble.code === "too_large";
      if (!isPassedBy) return { nextAt, trouble: troubles[0]!, isStopped: true };
      isAnyRefused = true;
    }
  }
  // So that their sender knows before the next visit, which may be tomorrow's.
  if (isAnyRefused) await report();
  return { nextAt, trouble: troubles[0] ?? null, isStopped: false };
}

/** Files that the hub is interested in: those that it may have taken, and leftovers. */
function listingForHub(
  files: readonly SeenFile[],
  candidates: readonly Candidate[],
  { connection, limits }: Session,
  memory: Memory,
): SeenFile[] {
  const left = new Map<string, SeenFile["left"]>();
  for (const file of candidates) {
    if (memory.wrong.get(file.name)?.mark === markOf(file)) left.set(file.name, "wrong_digest");
    else if (isTooLarge(file, memory, limits.maxBytes)) left.set(file.name, "too_large");
  }
  const { patterns } = connection.settings;
  return files.filter(({ name }) => isMeant(name, patterns) || isTemporary(name)).map((file) => {
    const why = left.get(file.name);
    return why === undefined ? file : { ...file, left: why };
  });
}

function isTooLarge(file: Candidate, { tooLarge }: Memory, maxBytes: number): boolean {
  const refused = tooLarge.get(file.name);
  return file.bytes > maxBytes || (refused !== undefined && isSameFile(refused, file));
}

async function listFolder(session: Session) {
  const { folder, patterns, after } = session.connection.settings;
  // Where taken files are put away, the oldest have their turn first. Where they are left, most of the old ones are taken.
  const keep = after === "leave" ? "newest" : "oldest";
  const isWanted = (name: string) =>
    isMeant(name, patterns) || isTemporary(name) || isMeant(companionOf(name) ?? ".", patterns);
  try {
    return await session.list(folder, isWanted, keep);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw await whyNotListed(session, error);
  }
}

/** For an admin who has never seen that server, the folder in which the log-in begins is the most useful hint. */
export async function whyNotListed(session: Session, cause: Refused): Promise<ConnectionError> {
  const { folder } = session.connection.settings;
  const at = await session.whereAmI().catch(() => null);
  const hint = at === null ? "" : `; the log-in begins in "${at.slice(0, 200)}"`;
  return cause.code === "ENOENT"
    ? new ConnectionError("folder_missing", `There is no folder "${folder}"${hint}`, cause)
    : new ConnectionError("not_permitted", `Cannot list the folder "${folder}": ${cause.message}${hint}`, cause);
}

/** Why the file can never be taken as it is; null: it may be. */
function whyNever(file: Candidate, memory: Memory, maxBytes: number): ConnectionError | null {
  const wrong = memory.wrong.get(file.name);
  if (wrong?.mark === markOf(file)) return wrong.trouble;
  if (file.bytes <= maxBytes) return null;
  return new ConnectionError("too_large", `"${file.name}" ${tooLargeInWords(file.bytes, maxBytes)}`);
}

/** Whether this file was taken before, and is still here because the connection leaves what it takes. */
async function isLeft(file: Candidate, { connection }: Session, { hub, memory }: VisitOptions): Promise<boolean> {
  const known = memory.left.get(file.name);
  if (known !== undefined && isSameFile(known, file)) return true;
  const { name, bytes, modifiedAt } = file;
  if (!await ofHub(hub.isAlreadyTaken(connection, { name, bytes, modifiedAt }))) return false;
  memory.left.set(name, { name, bytes, modifiedAt });
  return true;
}

/** Identifies the file and its companions, as far as a listing does. */
function markOf(file: Candidate): string {
  return [file, ...file.companions].map(({ name, bytes, modifiedAt }) => `${name}/${bytes}/${modifiedAt}`).join("/");
}

/** Hands the file over. If it fails, with ConnectionError, the hub has nothing of the file. */
async function take(
  session: Session,
  file: Candidate,
  isFollowed: boolean,
  options: VisitOptions,
): Promise<HandedOver> {
  const { connection } = session;
  const { hub, memory, signal } = options;
  const { folder } = connection.settings;
  const { name, bytes, modifiedAt } = file;
  const release = await options.transfer();
  let fault: unknown = null;
  try {
    const companion = file.companions.find(({ kind }) => kind === "sha256");
    const sha256 = companion === undefined
      ? null
      : await readDigest(session, join(folder, companion.name), companion.name);
    const open = () => readFile(session, join(folder, name), { ...file, sha256 }, (error) => fault ??= error);
    const handed = await hub.handOver(connection, { folder, name, bytes, modifiedAt, isFollowed, open }, signal);
    // What comes back for a file that was taken before may be there already.
    if (!handed.repeated) await removeNote(session, name);
    return handed;
  } catch (error) {
    // The error of reading the file is more precise than that of handing it over.
    const cause = fault ?? error;
    if (cause instanceof WrongDigest) memory.wrong.set(name, { mark: markOf(file), trouble: cause });
    if ((cause as { code?: unknown } | null)?.code === "too_large") {
      memory.tooLarge.set(name, { name, bytes, modifiedAt });
    }
    if (cause instanceof Refused) {
      throw new ConnectionError("not_permitted", `Cannot read "${name}": ${cause.message}`, cause);
    }
    throw cause instanceof ConnectionError ? cause : notTaken(cause);
  } finally {
    release();
  }
}

/** The note about an earlier file of that name: the file that was taken now gets an answer of its own. */
async function removeNote({ connection, remove }: Session, name: string): Promise<void> {
  try {
    await remove(`${placeOf(connection, "reports")}/${nameOfNote(name)}`);
  } catch (error) {
    // There is none, or the server can only be read.
    if (!(error instanceof Refused)) throw error;
  }
}

/** Puts away a file that the hub has taken. Until that is done, the file is remembered and not handed over again. */
async function finish(
  session: Session,
  file: Candidate,
  handed: HandedOver,
  memory: Memory,
): Promise<ConnectionError | null> {
  memory.pending.set(file.name, { file, handed });
  try {
    await putAway(session, file, handed.keptAs);
  } catch (error) {
    if (error instanceof ConnectionError && error.trouble.code === "not_permitted") return error;
    throw error;
  }
  memory.pending.delete(file.name);
  memory.sightings.delete(file.name);
  // The hub does not count it as taken, so without this it would be read at each visit where files are left.
  if (handed.isOfErased === true && session.connection.settings.after === "leave") memory.left.set(file.name, file);
  // This only tidies up: otherwise the hub finds out from the next listing.
  await handed.settle().catch(() => {});
  return null;
}

function forgetGone(memory: Memory, candidates: readonly Candidate[]): void {
  const names = new Set(candidates.map(({ name }) => name));
  for (const known of [memory.pending, memory.left, memory.wrong, memory.tooLarge]) {
    for (const name of known.keys()) if (!names.has(name)) known.delete(name);
  }
}

function isSameFile(a: SeenFile, b: SeenFile): boolean {
  return a.bytes === b.bytes && a.modifiedAt === b.modifiedAt;
}

async function ofHub<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw notTaken(error);
  }
}

/** Errors of the hub's side carry their own trouble. */
function notTaken(error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error;
  const { code, message } = troubleOf(error);
  return new ConnectionError(code, message, error);
}
