/** A process of the command line that can be killed at the very moment that something is heard, and started again. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { until } from "./bridging.ts";
import { startCommand } from "./serve.ts";
import { within } from "./within.ts";

const ENDS_WITHIN_MS = 60_000;

export interface Killable {
  /** Kills it as a power cut would, before this returns. */
  strike(): void;
  /** Starts it again; resolves once it works. */
  again(): Promise<void>;
  /** Asks it to end; gives its exit code. */
  stop(): Promise<number | null>;
  /** Kills it and waits until it is gone. */
  end(): Promise<void>;
  /** The end of what it has said on its error stream, over all its lives. */
  readonly said: () => string;
}

/** `works`: what it says on its standard output once it works. `hears` gets the events of its log. */
export async function startKillable(
  args: readonly string[],
  env: Record<string, string>,
  works: RegExp,
  hears: (event: string) => void = () => {},
): Promise<Killable> {
  let child: ChildProcess, ended: Promise<number | null>, log = "";

  async function start(): Promise<void> {
    let said = "", line = "";
    child = startCommand(args, env);
    ended = new Promise((resolve, reject) => {
      child.on("exit", resolve);
      child.on("error", reject);
    });
    ended.catch(() => {});
    child.stdout!.on("data", (data) => said += data);
    child.stderr!.on("data", (data) => {
      log = (log + data).slice(-20_000);
      const lines = (line + data).split("\n");
      line = lines.pop()!;
      for (const each of lines) {
        const event = /"event":"([^"]+)"/.exec(each)?.[1];
        if (event !== undefined) hears(event);
      }
    });
    await until(
      `${args[0]} says that it works`,
      () => {
        assert.equal(child.exitCode ?? child.signalCode, null, `${args[0]} ended: ${said}${log}`);
        return works.test(said);
      },
      Boolean,
      60_000,
    );
  }

  /** Fails where it goes on living: then something keeps it. */
  const gone = () => within(ENDS_WITHIN_MS, ended, () => new Error(`${args[0]} (${child.pid}) does not end: ${log}`));

  function strike(): void {
    if (child.exitCode === null && child.signalCode === null) process.kill(child.pid!, "SIGKILL");
  }

  await start();
  return {
    strike,
    async end() {
      strike();
      await gone();
    },
    async again() {
      await gone();
      await start();
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) process.kill(child.pid!, "SIGTERM");
      return await gone();
    },
    said: () => log,
  };
}
