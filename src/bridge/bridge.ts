/**
 * The bridge's core: it introduces itself to the hub, holds connections, and keeps both sides going.
 *
 * Every few seconds it asks the hub for its connections, and tells it how they fare. What it learns it hands on to the
 * hosted server and to the poller, which speak SFTP; files that they find whole it hands over to the hub. Nothing of this
 * is on disk: started again, it asks again.
 */
import { createAskHub, HubRefused, HubUnreachable } from "./ask-hub.ts";
import { bringBack, type Returning, tidy } from "./bring-back.ts";
import {
  type BridgeConnection,
  type BridgeHub,
  type CheckResult,
  type HandedOver,
  type HostedOptions,
  type HostedServer,
  HUB_FULL,
  type Log,
  type LogIn,
  type OpenTransport,
  type Poller,
  type PollerOptions,
  type SeenFile,
  type SftpSecrets,
  type Trouble,
  type WholeFile,
} from "./contract.ts";
import type { SftpSettings, When } from "../model/sftp.ts";
import { handOverFile } from "./hand-over.ts";
import { openBridgeKey } from "./key.ts";
import { longLying, rememberLying, type Seen } from "./lying.ts";
import { type Note, noteOf, writeNote } from "./not-used.ts";
import { keptName, placeOf } from "./places.ts";
import { sleep } from "../std/sleep.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../std/time.ts";
import { spread } from "../std/spread.ts";

export interface BridgeOptions {
  /** Base of the hub's URL, without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** What the operator knows it by. */
  readonly name: string;
  readonly version: string;
  /** Where its key and the hosted trees are. */
  readonly dir: string;
  /** Where to serve SFTP, and the address that customers use; null: not at all. */
  readonly hosted: {
    readonly host: string;
    readonly port: number;
    readonly address: { readonly host: string; readonly port: number | null };
  } | null;
  readonly createHostedServer: (options: HostedOptions) => Promise<HostedServer>;
  readonly createPoller: (options: PollerOptions) => Poller;
  readonly dial: PollerOptions["dial"];
  readonly log: Log;
  /** See HostedOptions. */
  readonly passed?: (bytes: number) => void;
  readonly now: () => number;
  /** Other than the runtime's only in tests. */
  readonly fetch?: typeof fetch;
  /** Between two looks at the hub; other than the hub says only in tests. */
  readonly askEveryMs?: number;
  /** Between two looks while the operator has not confirmed the key, or the hub does not answer; other only in tests. */
  readonly retryMs?: number;
}

export interface Bridge {
  /** Of its key; what the operator compares before confirming. */
  readonly thumbprint: string;
  /** The hosted server's, null where there is none. */
  readonly hosted: { readonly port: number; readonly fingerprint: string } | null;
  /** Takes no more files, and lets those at hand come to an end for a little while. */
  close(): Promise<void>;
}

/** A connection as the hub answers it. */
interface Held extends Pick<BridgeConnection, "id" | "organization" | "slug" | "name" | "mode" | "paused" | "version"> {
  readonly settings: {
    readonly folder: string;
    readonly patterns: readonly string[];
    readonly when: { kind: "at_once" } | { kind: "every"; minutes: number } | {
      kind: "daily";
      at: string;
      time_zone: string;
    };
    readonly after: SftpSettings["after"];
    readonly remote: { host: string; port: number; username: string; host_key: string | null } | null;
  };
  readonly visited_at: number | null;
  /** Moves when the secrets do; null: there are none. */
  readonly secrets_version: string | null;
  readonly created_at: number;
  readonly lets_in: readonly string[];
  readonly check: string | null;
  readonly unsettled: readonly Unsettled[];
  readonly returning: readonly Returning[];
}

interface Unsettled {
  readonly id: string;
  readonly folder: string;
  readonly name: string;
  readonly bytes: number;
  readonly modified_at: number;
}

/** A connection's files that are to be rid of what may hold people who were erased; whose they are is not said. */
interface Erasure {
  readonly connection: string;
  readonly organization: string;
  readonly asked_at: number;
}

/** All that the core keeps of one connection. */
interface Entry {
  held: Held;
  connection: BridgeConnection;
  secretsVersion: string | null;
  unsettled: readonly Unsettled[];
  seen: Seen;
  fare: { seenAt: number | null; trouble: Trouble | null };
  /** Why reports could not be written to the connection's server; null: they could. */
  notReturned: Trouble | null;
  /** Notes that wait to be written to the connection's server. */
  notes: readonly Note[];
  /** What was last said to the hub, to be said again only when it is another. */
  said: string;
  /** What the core does on the connection's server now: bringing back, tidying. */
  busy: boolean;
  pauseUntil: number;
  failures: number;
  tidyAt: number;
}

const RETRY_MS = 5_000;
/** Files that are on their way to the hub at once; each has two parts in memory. */
const MAX_HAND_OVERS = 4;
/** Visits to servers for what goes back, at once. */
const MAX_RETURNS = 8;
const RETURN_TIMEOUT_MS = 300_000;
const FIRST_PAUSE_MS = 60_000, LONGEST_PAUSE_MS = 3_600_000;
const GRACE_MS = 5_000;
/** How often trees are looked for whose connections are gone; and at once when one goes. */
const TEND_MS = 60 * MINUTE_MS;
const ASKED_AT_ONCE = 100, MAX_ASIDE_SAID = 1000;

/** Resolves once the hosted server listens; the hub may not be there yet. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { log, now, retryMs = RETRY_MS } = options;
  const stop = new AbortController();
  const key = await openBridgeKey(options.dir);
  let id: string | null = null;
  const ask = createAskHub({
    url: options.url,
    token: options.token,
    bridge: () => id,
    fetch: options.fetch,
    firstPauseMs: options.retryMs,
  });
  const entries = new Map<string, Entry>();
  const handingOver = createTurns(MAX_HAND_OVERS);
  let returns = 0;
  const tasks = new Set<Promise<void>>();
  const checks = new Set<string>();

  const hub: BridgeHub = {
    connections: () => [...entries.values()].map(({ connection }) => connection),
    async handOver(connection, file, signal) {
      const both = AbortSignal.any([signal, stop.signal]);
      const leave = await handingOver(both);
      try {
        const taken = await handOverFile(ask, connection, file, both, options.passed);
        log("bridge.handed_over", {
          connection: connection.id,
          drop: taken.drop,
          run: taken.run,
          bytes: file.bytes,
          repeated: taken.repeated,
        });
        return taken;
      } catch (error) {
        if (error instanceof HubRefused && error.code === "content_erased") {
          return await setErasedAside(connection, file);
        }
        throw Object.assign(error as Error, { trouble: troubleOf(error) });
      } finally {
        leave();
      }
    },
    async saw(connection, files) {
      const entry = entries.get(connection.id);
      if (entry === undefined) return;
      const { folder, patterns } = connection.settings;
      entry.seen = rememberLying(entry.seen, files, patterns, now());
      const gone = entry.unsettled.filter((file) =>
        file.folder === folder && !files.some((each) => isSame(each, file))
      );
      entry.unsettled = entry.unsettled.filter((file) => !gone.includes(file));
      for (const file of gone) {
        const done = await ask(`/files/${file.id}/settle`, { method: "POST", json: {}, signal: stop.signal });
        await done.body?.cancel();
      }
    },
    async wasTaken(connection, file) {
      const query = new URLSearchParams({
        folder: connection.settings.folder,
        name: file.name,
        bytes: String(file.bytes),
        modified_at: String(file.modifiedAt),
      });
      const answer = await ask(`/connections/${connection.id}/taken?${query}`, { signal: stop.signal });
      return (await answer.json() as { taken: boolean }).taken;
    },
    fares(connection, trouble) {
      const entry = entries.get(connection.id);
      if (entry === undefined) return;
      if (trouble !== null && trouble.code !== entry.fare.trouble?.code) {
        log("bridge.trouble", { connection: connection.id, code: trouble.code });
      }
      entry.fare = { seenAt: now(), trouble };
    },
  };

  /** The note first: whoever dies behind it finds the file again, and says so once more. */
  async function setErasedAside(connection: BridgeConnection, file: WholeFile): Promise<HandedOver> {
    const note = noteOf(file, now());
    const entry = entries.get(connection.id);
    if (connection.mode === "hosted") {
      const transport = await openTransport(connection, stop.signal);
      await writeNote(connection, transport, note).finally(() => transport.close());
    } else if (entry !== undefined) entry.notes = [...entry.notes, note];
    log("bridge.held_erased", { connection: connection.id, bytes: file.bytes });
    const keptAs = keptName(file.name, now());
    return { drop: "", run: "", repeated: false, isOfErased: true, keptAs, settle: () => Promise.resolve() };
  }

  const logIn: LogIn = async (attempt) => {
    const answer = await ask("/logins", {
      method: "POST",
      json: {
        username: attempt.username,
        password: attempt.password,
        public_key: attempt.publicKey,
        address: attempt.address,
      },
      attempts: 2,
      timeoutMs: 20_000,
      signal: stop.signal,
    });
    const { connection, proof } = await answer.json() as { connection: string | null; proof: string | null };
    if (connection === null || proof === null) return null;
    const isKnown = () => entries.get(connection)?.held.lets_in.includes(proof) === true;
    // The connection, or what was come with, may be so new that it was not asked for yet.
    if (!isKnown()) await refresh();
    return isKnown() ? { connection, proof } : null;
  };

  const { passed = () => {} } = options;
  const shared = { hub, log, now, passed };
  const server = options.hosted === null ? null : await options.createHostedServer({
    ...shared,
    logIn,
    dir: options.dir,
    host: options.hosted.host,
    port: options.hosted.port,
  });
  const poller = options.createPoller({ ...shared, dial: options.dial });
  const openTransport: OpenTransport = (connection, signal) => {
    if (connection.mode === "remote") return poller.openTransport(connection, signal);
    if (server === null) throw new Error("This bridge has no hosted server");
    return server.openTransport(connection, signal);
  };

  async function introduce(): Promise<boolean> {
    const answer = await ask("/hello", {
      method: "POST",
      attempts: 1,
      signal: stop.signal,
      json: {
        name: options.name,
        version: options.version,
        public_key: key.publicKey,
        hosted: server === null ? null : {
          host: options.hosted!.address.host,
          port: options.hosted!.address.port ?? server.port,
          host_key: server.fingerprint,
        },
      },
    });
    const { bridge } = await answer.json() as { bridge: { id: string; confirmed: boolean } };
    if (id !== bridge.id) log("bridge.introduced", { bridge: bridge.id, thumbprint: key.thumbprint });
    id = bridge.id;
    return bridge.confirmed;
  }

  /** One at a time: an answer that was on its way for long does not come after a later one. */
  let refreshing: Promise<unknown> = Promise.resolve();
  function refresh(): Promise<number> {
    const done = refreshing.then(refreshOnce);
    refreshing = done.catch(() => {});
    return done;
  }

  async function refreshOnce(): Promise<number> {
    const answer = await ask("/connections", { method: "POST", json: {}, attempts: 1, signal: stop.signal });
    const said = await answer.json() as {
      connections: Held[];
      erasures?: Erasure[];
      ask_every_seconds: number;
    };
    toErase = said.erasures ?? [];
    let moved = false;
    for (const gone of [...entries.keys()].filter((each) => !said.connections.some((held) => held.id === each))) {
      entries.delete(gone);
      moved = true;
      tendAt = 0;
    }
    for (const held of said.connections) {
      const before = entries.get(held.id);
      const secretsMoved = (before?.secretsVersion ?? null) !== held.secrets_version;
      if (
        before !== undefined && before.held.version === held.version && !secretsMoved && sameOutside(before.held, held)
      ) {
        before.held = held;
        before.unsettled = held.unsettled;
        continue;
      }
      const secrets = held.secrets_version === null
        ? {}
        : secretsMoved || before === undefined
        ? await fetchSecrets(held).catch(refusedSecrets)
        : before.connection.secrets;
      if (secrets === null) continue;
      entries.set(held.id, {
        ...(before ?? newEntry(held.id)),
        held,
        unsettled: held.unsettled,
        secretsVersion: held.secrets_version,
        connection: toConnection(held, secrets),
      });
      moved = true;
    }
    if (moved) {
      server?.changed();
      poller.changed();
    }
    return said.ask_every_seconds * 1000;
  }

  let toErase: readonly Erasure[] = [];
  const erasing = new Set<string>();

  /** Confirmed once it is done and on disk; whoever dies before does it again. */
  async function followErasure(hosted: HostedServer, erasure: Erasure): Promise<void> {
    const { connection, organization, asked_at } = erasure;
    const entry = entries.get(connection);
    // A report that is being brought back may be of before.
    if (entry?.busy === true || erasing.has(connection)) return;
    erasing.add(connection);
    if (entry !== undefined) entry.busy = true;
    try {
      const { isDone, waiting } = await hosted.erase(connection, organization, asked_at);
      if (!isDone) return;
      const done = await ask("/erasures", {
        method: "POST",
        json: { connection, asked_at, waiting },
        signal: stop.signal,
      });
      await done.body?.cancel();
      log("bridge.erased", { connection });
    } finally {
      erasing.delete(connection);
      if (entry !== undefined) entry.busy = false;
    }
  }

  async function fetchSecrets({ id: connection }: Held): Promise<SftpSecrets> {
    const answer = await ask(`/connections/${connection}/secrets`, { method: "POST", json: {}, signal: stop.signal });
    const { jwe } = await answer.json() as { jwe: string };
    const { password, private_key, passphrase } = JSON.parse(await key.decrypt(jwe)) as Record<string, string>;
    return { password, privateKey: private_key, passphrase };
  }

  function refusedSecrets(error: unknown): null {
    if (!(error instanceof HubRefused)) throw error;
    log("bridge.no_secrets", { code: error.code });
    return null;
  }

  function newEntry(connection: string) {
    return {
      seen: new Map() as Seen,
      fare: { seenAt: null, trouble: null },
      notReturned: null,
      notes: [],
      said: "",
      busy: false,
      pauseUntil: 0,
      failures: 0,
      // Not all at once after a start.
      tidyAt: now() + spread(connection, HOUR_MS),
    };
  }

  /** Looks after trees whose connections are gone, and says what is aside. */
  let tendAt = 0;
  async function tend(hosted: HostedServer): Promise<void> {
    tendAt = now() + TEND_MS;
    try {
      const aside = await hosted.tend(async (ids) => {
        const gone: string[] = [];
        for (let from = 0; from < ids.length; from += ASKED_AT_ONCE) {
          const some = new URLSearchParams({ connections: ids.slice(from, from + ASKED_AT_ONCE).join() });
          const answer = await ask(`/trees?${some}`, { signal: stop.signal });
          gone.push(...(await answer.json() as { gone: string[] }).gone);
        }
        return gone;
      });
      const json = { connections: [], set_aside: aside.slice(0, MAX_ASIDE_SAID) };
      const done = await ask("/health", { method: "POST", json, signal: stop.signal });
      await done.body?.cancel();
    } catch (error) {
      tendAt = now() + FIRST_PAUSE_MS;
      throw error;
    }
  }

  /** What is to be done on the connections' servers, in the background, one thing at a time for each. */
  function look(): void {
    if (server !== null) { for (const each of toErase) inBackground(followErasure(server, each)); }
    for (const entry of entries.values()) {
      const { held } = entry;
      if (held.check !== null && !checks.has(held.check)) inBackground(check(entry, held.check));
      if (held.returning.length === 0) entry.notReturned = null;
      if (entry.busy || entry.pauseUntil > now() || returns >= MAX_RETURNS) continue;
      const isTidyDue = entry.tidyAt <= now();
      const isAny = held.returning.length > 0 || entry.notes.length > 0;
      if (isAny || isTidyDue) inBackground(visit(entry, isTidyDue));
    }
  }

  async function visit(entry: Entry, isTidyDue: boolean): Promise<void> {
    entry.busy = true;
    returns++;
    const { connection, held } = entry;
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(RETURN_TIMEOUT_MS)]);
    try {
      if (held.returning.length > 0) {
        await bringBack(ask, connection, held.returning, () => openTransport(connection, signal));
        log("bridge.brought_back", { connection: connection.id, count: held.returning.length });
        // Until it is asked again, the hub's list is of before.
        entry.held = { ...entry.held, returning: [] };
      }
      if (entry.notes.length > 0) await writeNotes(entry, signal);
      if (isTidyDue) {
        const transport = await openTransport(connection, signal);
        try {
          const tidied = tidy(connection, transport, now());
          // A server that can only be read stays as it is.
          const count = await (connection.settings.after === "leave" ? tidied.catch(() => 0) : tidied);
          if (count > 0) log("bridge.tidied", { connection: connection.id, count });
        } finally {
          await transport.close();
        }
        entry.tidyAt = now() + DAY_MS;
      }
      entry.failures = 0;
    } catch (error) {
      if (stop.signal.aborted) return;
      entry.pauseUntil = now() + Math.min(FIRST_PAUSE_MS * 2 ** entry.failures++, LONGEST_PAUSE_MS);
      log("bridge.not_brought_back", { connection: connection.id, ...describe(error) });
      if (entry.held.returning.length > 0 && !(error instanceof HubUnreachable)) {
        entry.notReturned = whyNotReturned(connection, error);
      }
    } finally {
      entry.busy = false;
      returns--;
    }
  }

  async function writeNotes(entry: Entry, signal: AbortSignal): Promise<void> {
    const { connection } = entry;
    const transport = await openTransport(connection, signal);
    try {
      for (const note of entry.notes) {
        await writeNote(connection, transport, note);
        entry.notes = entry.notes.filter((each) => each !== note);
      }
    } finally {
      await transport.close();
    }
  }

  async function check({ connection }: Entry, asked: string): Promise<void> {
    checks.add(asked);
    const result = await poller.check(connection, AbortSignal.any([stop.signal, AbortSignal.timeout(30_000)]))
      .catch((error): CheckResult => {
        log("bridge.check_failed", { connection: connection.id, ...describe(error) });
        return { ok: false, detail: "The check did not come to an end; the bridge's log says why", found: {} };
      });
    const answered = await ask(`/checks/${asked}`, { method: "POST", json: result, signal: stop.signal });
    await answered.body?.cancel();
  }

  function inBackground(work: Promise<void>): void {
    const task = work.catch((error) => {
      if (!stop.signal.aborted) log("bridge.failed", describe(error));
    }).finally(() => tasks.delete(task));
    tasks.add(task);
  }

  async function sayHealth(): Promise<void> {
    const news = [...entries.values()].map((entry) => {
      const lying = longLying(entry.seen, now());
      const { seenAt } = entry.fare;
      const trouble = entry.fare.trouble ?? entry.notReturned;
      // When it looked last is worth a word of its own once a minute.
      const said = JSON.stringify([trouble, lying, seenAt === null ? null : Math.floor(seenAt / MINUTE_MS)]);
      return { entry, said, body: { id: entry.connection.id, seen_at: seenAt, trouble, lying } };
    }).filter(({ entry, said }) => entry.said !== said && entry.fare.seenAt !== null);
    for (let from = 0; from < news.length; from += 200) {
      const some = news.slice(from, from + 200);
      const json = { connections: some.map(({ body }) => body) };
      const done = await ask("/health", { method: "POST", json, attempts: 1, signal: stop.signal });
      await done.body?.cancel();
      for (const { entry, said } of some) entry.said = said;
    }
  }

  async function run(): Promise<void> {
    let isConfirmed = false, saidWaiting = false, saidUnreachable = false;
    while (!stop.signal.aborted) {
      let pauseMs = retryMs;
      try {
        if (!isConfirmed) isConfirmed = await introduce();
        if (isConfirmed) {
          pauseMs = await refresh();
          pauseMs = options.askEveryMs ?? pauseMs;
          look();
          if (server !== null && tendAt <= now()) inBackground(tend(server));
          await sayHealth();
        } else if (!saidWaiting) {
          saidWaiting = true;
          log("bridge.waits_for_operator", { bridge: id, thumbprint: key.thumbprint });
        }
        if (saidUnreachable) log("bridge.hub_back");
        saidUnreachable = false;
      } catch (error) {
        if (stop.signal.aborted) break;
        // Removed, or unknown to a hub that was set up anew: it introduces itself again.
        if (error instanceof HubRefused && error.status === 403) isConfirmed = false;
        if (!saidUnreachable) log("bridge.hub_failed", describe(error));
        saidUnreachable = true;
        pauseMs = retryMs;
      }
      await sleep(pauseMs, stop.signal).catch(() => {});
    }
  }

  const running = run();
  return {
    thumbprint: key.thumbprint,
    hosted: server === null ? null : { port: server.port, fingerprint: server.fingerprint },
    async close() {
      // Those that speak SFTP first: what they have begun to hand over may come to its end.
      const closing = Promise.all([server?.close(), poller.close()]);
      const timer = setTimeout(() => stop.abort(new Error("The bridge is closing")), GRACE_MS);
      await closing.catch(() => {});
      clearTimeout(timer);
      stop.abort(new Error("The bridge is closing"));
      await Promise.allSettled([closing, running, ...tasks]);
    },
  };
}

function toConnection(held: Held, secrets: SftpSecrets): BridgeConnection {
  const { id, organization, slug, name, mode, paused, version, settings } = held;
  const { folder, patterns, after, remote } = settings;
  const when: When = settings.when.kind === "daily"
    ? { kind: "daily", at: settings.when.at, timeZone: settings.when.time_zone }
    : settings.when;
  return {
    id,
    organization,
    slug,
    name,
    mode,
    paused,
    version,
    visitedAt: held.visited_at,
    settings: {
      folder,
      patterns,
      when,
      after,
      remote: remote === null
        ? null
        : { host: remote.host, port: remote.port, username: remote.username, hostKey: remote.host_key },
    },
    secrets,
    owner: `${organization} ${held.created_at}`,
    letsIn: held.lets_in,
  };
}

/** The organization's time zone, and who may log in, are not the connection's own and move without it. */
function sameOutside(a: Held, b: Held): boolean {
  return JSON.stringify([a.settings.when, a.lets_in]) === JSON.stringify([b.settings.when, b.lets_in]);
}

function isSame(seen: SeenFile, file: Unsettled): boolean {
  return seen.name === file.name && seen.bytes === file.bytes && seen.modifiedAt === file.modified_at;
}

/** Lets `count` through at once, the others in the order in which they came. */
function createTurns(count: number): (signal: AbortSignal) => Promise<() => void> {
  let free = count;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  };
  return async (signal) => {
    signal.throwIfAborted();
    if (free > 0) free--;
    else {
      await new Promise<void>((resolve, reject) => {
        const turn = () => {
          signal.removeEventListener("abort", abort);
          resolve();
        };
        const abort = () => {
          waiting.splice(waiting.indexOf(turn), 1);
          reject(signal.reason);
        };
        signal.addEventListener("abort", abort, { once: true });
        waiting.push(turn);
      });
    }
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
    };
  };
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof HubUnreachable && error.isFull) return HUB_FULL;
  if (error instanceof HubUnreachable && error.isBusy) {
    const message =
      "The hub takes no more files for now, as too many runs or uploads of the organization wait there: " +
      "files wait where they are, and are taken by themselves once some of those are done";
    return { code: "hub_busy", message };
  }
  if (error instanceof HubUnreachable) {
    const message = "The hub could not be reached: files wait where they are, and are handed over once it answers";
    return { code: "hub_unreachable", message };
  }
  if (error instanceof HubRefused && error.code === "file_changed") {
    return { code: "file_changed", message: `${error.message}: it should be written under another name and renamed` };
  }
  if (error instanceof HubRefused && ["too_large", "invalid_request"].includes(error.code)) {
    return { code: "too_large", message: `The hub does not take a file: ${error.message}` };
  }
  if (error instanceof HubRefused) return { code: "failed", message: `The hub refuses a file: ${error.message}` };
  const said = (error as { trouble?: Trouble } | null)?.trouble;
  return said ??
    { code: "failed", message: "A file could not be handed over; it stays where it is and is tried again" };
}

/** Files are taken all the same: what keeps reports from their place is said where nothing worse is. */
function whyNotReturned(connection: BridgeConnection, error: unknown): Trouble {
  const trouble = (error as { trouble?: Trouble | null } | null)?.trouble ?? null;
  if (trouble?.code === "disk_full") {
    // The bridge's own: not for the user of a server to mend.
    return {
      code: "disk_full",
      message:
        "A failure report could not be written, as the bridge's disk is full: free some of it; it is tried again",
    };
  }
  const reason = trouble?.message.slice(0, 500) ?? "It could not be written";
  return {
    code: "report_not_written",
    message: `A failure report waits to be written to "${placeOf(connection, "reports")}": ${reason}. The run has it ` +
      "meanwhile; the user should be allowed to write there, and then it comes by itself",
  };
}

/** No message of another's: it may name a file. */
function describe(error: unknown): Record<string, string> {
  if (error instanceof HubRefused || error instanceof HubUnreachable) {
    return { error: error.name, reason: error.message };
  }
  const code = (error as { code?: unknown } | null)?.code;
  return {
    error: error instanceof Error ? error.name : "unknown",
    ...(code === undefined ? {} : { code: String(code) }),
  };
}
