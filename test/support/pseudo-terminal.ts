/** A command at a terminal of its own: a pseudo-terminal, made by `script` of util-linux. */
import { spawn } from "node:child_process";
import process from "node:process";
import { ENTRY, LAUNCH, PATH, RUNTIME } from "./launch.ts";
import { without } from "./programs.ts";
import { within } from "./within.ts";

/** Why a test at a terminal is skipped; false where it is not. The program of other systems takes other arguments. */
export const withoutTerminal: string | false = process.platform === "linux"
  ? without("script", "bsdutils")
  : "script of util-linux is on Linux alone";

/** Keys that mean something to a terminal. */
export const CTRL_C = "\x03", CTRL_D = "\x04";

export interface AtTerminal {
  /** Resolves once this is on the screen, after what was found before. */
  shows(pattern: RegExp): Promise<void>;
  type(keys: string): void;
  /** The exit code, and all that was on the screen. */
  ended(): Promise<{ code: number | null; screen: string }>;
}

const WITHIN_MS = 60_000;

/** `env` beside what a runtime needs. */
export function startAtTerminal(args: readonly string[], env: Record<string, string>): AtTerminal {
  const { HOME = "", DENO_DIR = "" } = process.env;
  const command = [LAUNCH, RUNTIME, ENTRY, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env: { PATH, HOME, TERM: "xterm", NO_COLOR: "1", ...(DENO_DIR === "" ? {} : { DENO_DIR }), ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "", seen = 0;
  // Without what moves the cursor and clears lines.
  const text = () => output.replaceAll(/\p{Cc}\[[0-9;?]*[A-Za-z]/gu, "");
  let look = () => {};
  child.stdout!.on("data", (data) => {
    output += data;
    look();
  });
  child.stdin!.on("error", () => {});
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const orKilled = <T>(work: Promise<T>, what: string): Promise<T> =>
    within(WITHIN_MS, work, () => {
      child.kill("SIGKILL");
      return new Error(`${what} within ${WITHIN_MS / 1000} s: ${text()}`);
    });
  return {
    shows: (pattern) =>
      orKilled(
        new Promise((resolve) => {
          look = () => {
            const found = pattern.exec(text().slice(seen));
            if (found === null) return;
            seen += found.index + found[0].length;
            look = () => {};
            resolve();
          };
          look();
        }),
        `There was no ${pattern}`,
      ),
    type: (keys) => void child.stdin!.write(keys),
    ended: async () => ({ code: await orKilled(ended, "It did not end"), screen: text() }),
  };
}
