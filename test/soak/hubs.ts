/**
 * Several hubs on one database, each a process with a clock of its own. Any of them is asked, any of them may be killed,
 * and another is started in its place.
 */
import { existsSync } from "node:fs";
import { type Served, startServing } from "../support/serve.ts";

/** Debian's package faketime has it. */
const FAKETIME = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
].find((path) => existsSync(path));

export const hasFaketime = FAKETIME !== undefined;

export interface Hubs {
  /** Asks one of them, and another where it does not answer. A POST is sent under one `Idempotency-Key`. */
  ask(path: string, init?: { method?: string; body?: string; headers?: Record<string, string> }): Promise<Response>;
  /**
   * Kills the next one, gives its process id, and starts another in its place. Null: only one is left, or none has served for
   * `servedMs` yet. A machine on which a start takes long thus still has work done between two kills.
   */
  kill(servedMs: number): Promise<number | null>;
  /** Asks all to end, and fails where one does not end well. May be called again. */
  stop(): Promise<void>;
  /** What they wrote to their logs. */
  logs(): string;
}

const ANSWERS_WITHIN_MS = 180_000, PAUSE_MS = 200;

/** `clocks`: what each is ahead of the time, in seconds. */
export async function startHubs(
  clocks: readonly number[],
  env: (place: number) => Record<string, string>,
): Promise<Hubs> {
  const said: string[] = [];
  const start = async (place: number) => ({
    ...await startServing({ ...env(place), ...clockOf(clocks[place]!) }),
    since: performance.now(),
  });
  const living: (Served & { since: number } | null)[] = [
    await start(0),
    ...await Promise.all(clocks.slice(1).map((_, i) => start(i + 1))),
  ];
  const starting = new Set<Promise<void>>();
  let turn = 0, asked = 0;

  async function replace(place: number): Promise<void> {
    living[place] = await start(place);
  }

  async function askOne(path: string, init: RequestInit): Promise<Response | null> {
    const hub = living[++asked % living.length];
    if (hub == null) return null;
    try {
      const response = await fetch(`${hub.url}${path}`, init);
      // Another process is at the same request, or is going away.
      return [409, 429, 503].includes(response.status) ? (await response.body?.cancel(), null) : response;
    } catch {
      return null;
    }
  }

  return {
    async ask(path, { method = "GET", body, headers = {} } = {}) {
      const key: Record<string, string> = method === "POST" ? { "idempotency-key": crypto.randomUUID() } : {};
      for (const end = Date.now() + ANSWERS_WITHIN_MS;;) {
        const response = await askOne(path, { method, body, headers: { ...headers, ...key } });
        if (response !== null) return response;
        if (Date.now() > end) throw new Error(`No hub answered ${method} ${path}: ${said.join("").slice(-2000)}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    },
    async kill(servedMs) {
      const alive = living.flatMap((hub, place) => hub === null ? [] : [{ hub, place }]);
      const old = alive.filter(({ hub: { since } }) => performance.now() - since >= servedMs);
      if (alive.length < 2 || old.length === 0) return null;
      const { hub, place } = old[turn++ % old.length]!;
      living[place] = null;
      await hub.stop("SIGKILL");
      said.push(hub.said().err);
      starting.add(replace(place));
      return hub.process.pid!;
    },
    async stop() {
      await Promise.all(starting);
      const ending = living.splice(0).filter((hub) => hub !== null);
      const codes = await Promise.all(ending.map((hub) => hub.stop()));
      said.push(...ending.map((hub) => hub.said().err));
      if (codes.some((code) => code !== 0)) throw new Error(`Hubs ended with ${codes}: ${said.join("").slice(-2000)}`);
    },
    logs: () => said.join(""),
  };
}

function clockOf(seconds: number): Record<string, string> {
  if (seconds === 0 || FAKETIME === undefined) return {};
  const sign = seconds < 0 ? "" : "+";
  return { LD_PRELOAD: FAKETIME, FAKETIME: `${sign}${seconds}s`, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
}
