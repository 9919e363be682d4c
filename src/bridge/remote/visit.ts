/**
 * One visit of a remote server: look, take what is whole, oldest first, and put it away.
 *
 * A file that cannot be taken now stops those behind it, since the order of files is part of what they mean. Only one
 * that can never be taken as it is, is passed by.
 */
import type { BridgeHub, HandedOver, SeenFile } from "../contract.ts";
import { companionOf, isMeant, isTemporary } from "../places.ts";
import { Troubled, troubleOf } from "../trouble.ts";
import { join } from "./folders.ts";
import { putAway } from "./put-away.ts";
import { readDigest, readFile, WrongDigest } from "./read.ts";
import { Refused, type Session } from "./session.ts";
import { type Candidate, look, type Sightings } from "./whole.ts";

/** What is known of a connection from one visit to the next, in memory alone. */
export interface Memory {
  readonly sightings: Sightings;
  /** Files that the hub has and that could not be put away, by name. */
  readonly kept: Map<string, { readonly file: Candidate; readonly handed: HandedOver }>;
  /** Files that were taken and are left, by name: the hub is asked of each once. */
  readonly left: Map<string, SeenFile>;
  /** Files that did not have the digest that their companion tells, by name: not read again until one of both changes. */
  readonly wrong: Map<string, { readonly mark: string; readonly trouble: WrongDigest }>;
}

export function createMemory(): Memory {
  return { sightings: new Map(), kept: new Map(), left: new Map(), wrong: new Map() };
}

export interface VisitOptions {
  readonly hub: BridgeHub;
  readonly memory: Memory;
  /** Milliseconds of a clock that only goes forward. */
  readonly elapsed: () => number;
  /** Resolves when a file may be read: not all connections at once. To be released. */
  readonly transfer: () => Promise<() => void>;
  readonly signal: AbortSignal;
}

export interface Visited {
  /** When a file that waits may be whole, on the clock of `elapsed`; null: none waits. */
  readonly nextAt: number | null;
  /** What was in the way of a file, though the server could be visited; the first of them. */
  readonly trouble: Troubled | null;
  /** Whether files that are whole were left because of it. */
  readonly isStopped: boolean;
}

/** Fails with Troubled when the visit could not be made to its end. */
export async function visit(session: Session, options: VisitOptions): Promise<Visited> {
  const { connection, limits } = session;
  const { hub, memory } = options;
  const { folder, patterns, after } = connection.settings;
  const { files, isCut, unnameable } = await listFolder(session);
  const troubles: Troubled[] = [];
  if (unnameable > 0) {
    troubles.push(new Troubled("failed", `${unnameable} files in "${folder}" are left: their names are no UTF-8`));
  }
  if (isCut && after === "leave") {
    const most = limits.maxFiles;
    troubles.push(new Troubled("failed", `"${folder}" has more than ${most} files: only the newest are looked at`));
  }
  // A folder that was not seen whole tells nothing of what is gone.
  if (!isCut) await ofHub(hub.saw(connection, files.filter(isForHub(patterns))));
  const { candidates, nextAt } = look(memory.sightings, files, patterns, options.elapsed());
  forgetGone(memory, candidates);

  const whole: Candidate[] = [];
  for (const file of candidates) {
    const kept = memory.kept.get(file.name);
    if (kept !== undefined && isSameFile(kept.file, file)) {
      const trouble = await finish(session, file, kept.handed, memory);
      if (trouble !== null) troubles.push(trouble);
      continue;
    }
    if (after === "leave" && await isLeft(file, session, options)) continue;
    const never = whyNever(file, memory, limits.maxBytes);
    if (never !== null) troubles.push(never);
    else if (file.isWhole) whole.push(file);
    else break;
  }
  for (const [i, file] of whole.entries()) {
    try {
      const handed = await take(session, file, i + 1 < whole.length, options);
      const trouble = await finish(session, file, handed, memory);
      if (trouble !== null) troubles.push(trouble);
    } catch (error) {
      if (!(error instanceof Troubled)) throw error;
      troubles.push(error);
      const isPassedBy = error instanceof WrongDigest || error.trouble.code === "too_large";
      if (!isPassedBy) return { nextAt, trouble: troubles[0]!, isStopped: true };
    }
  }
  return { nextAt, trouble: troubles[0] ?? null, isStopped: false };
}

/** Files for the hub to know of: those that it may have taken, and those that it is to say lie around. */
function isForHub(patterns: readonly string[]): (file: { name: string }) => boolean {
  return ({ name }) => isMeant(name, patterns) || isTemporary(name);
}

async function listFolder(session: Session) {
  const { folder, patterns, after } = session.connection.settings;
  // Of what is put away when it was taken, the oldest have their turn first; what is left was taken for the most part.
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

/** For an admin who has never seen that server: where the log-in begins helps most. */
export async function whyNotListed(session: Session, cause: Refused): Promise<Troubled> {
  const { folder } = session.connection.settings;
  const at = await session.whereAmI().catch(() => null);
  const hint = at === null ? "" : `; the log-in begins in "${at.slice(0, 200)}"`;
  return cause.code === "ENOENT"
    ? new Troubled("folder_missing", `There is no folder "${folder}"${hint}`, cause)
    : new Troubled("not_permitted", `Cannot list the folder "${folder}": ${cause.message}${hint}`, cause);
}

/** Why the file can never be taken as it is. */
function whyNever(file: Candidate, memory: Memory, maxBytes: number): Troubled | null {
  const wrong = memory.wrong.get(file.name);
  if (wrong?.mark === markOf(file)) return wrong.trouble;
  if (file.bytes <= maxBytes) return null;
  const most = `${Math.floor(maxBytes / 1024 ** 2)} MiB`;
  return new Troubled("too_large", `"${file.name}" has ${file.bytes} bytes: at most ${most} are taken`);
}

/** Whether this very file was taken before, and lies here because the connection leaves what it takes. */
async function isLeft(file: Candidate, { connection }: Session, { hub, memory }: VisitOptions): Promise<boolean> {
  const known = memory.left.get(file.name);
  if (known !== undefined && isSameFile(known, file)) return true;
  const { name, bytes, modifiedAt } = file;
  if (!await ofHub(hub.wasTaken(connection, { name, bytes, modifiedAt }))) return false;
  memory.left.set(name, { name, bytes, modifiedAt });
  return true;
}

/** The file and its companions, as far as a listing tells. */
function markOf(file: Candidate): string {
  return [file, ...file.companions].map(({ name, bytes, modifiedAt }) => `${name}/${bytes}/${modifiedAt}`).join("/");
}

/** Hands the file over. Fails with Troubled, and then the hub has nothing of it. */
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
    return await hub.handOver(connection, { folder, name, bytes, modifiedAt, isFollowed, open }, signal);
  } catch (error) {
    // The file's own fault says more than that of whoever read it.
    const cause = fault ?? error;
    if (cause instanceof WrongDigest) memory.wrong.set(name, { mark: markOf(file), trouble: cause });
    if (cause instanceof Refused) throw new Troubled("not_permitted", `Cannot read "${name}": ${cause.message}`, cause);
    throw cause instanceof Troubled ? cause : notTaken(cause);
  } finally {
    release();
  }
}

/** Puts away what the hub has; until that is done it is remembered, and not handed over again. */
async function finish(session: Session, file: Candidate, handed: HandedOver, memory: Memory): Promise<Troubled | null> {
  memory.kept.set(file.name, { file, handed });
  try {
    await putAway(session, file, handed.keptAs);
  } catch (error) {
    if (error instanceof Troubled && error.trouble.code === "not_permitted") return error;
    throw error;
  }
  memory.kept.delete(file.name);
  memory.sightings.delete(file.name);
  // The hub does not know it for one that was taken, and where it is left it would be read at each visit.
  if (handed.isOfErased === true && session.connection.settings.after === "leave") memory.left.set(file.name, file);
  // That it is put away is only for tidiness: without it the hub finds out at the next look.
  await handed.settle().catch(() => {});
  return null;
}

function forgetGone(memory: Memory, candidates: readonly Candidate[]): void {
  const names = new Set(candidates.map(({ name }) => name));
  for (const known of [memory.kept, memory.left, memory.wrong]) {
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

/** The hub's side says itself what is in its way. */
function notTaken(error: unknown): Troubled {
  if (error instanceof Troubled) return error;
  const { code, message } = troubleOf(error);
  return new Troubled(code, message, error);
}
