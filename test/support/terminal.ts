/** A terminal for commands in tests: what they say is kept, and the environment is a data directory of their own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { runCommand } from "../../src/cli/cli.ts";
import type { Terminal } from "../../src/runtime/command.ts";
import { withHub } from "../../src/cli/open-hub.ts";
import type { Hub } from "../../src/hub.ts";

export interface TestTerminal {
  /** For files of the test's own; removed afterwards. */
  readonly dir: string;
  readonly env: Record<string, string>;
  run(...argv: string[]): Promise<{ code: number; out: string; err: string }>;
  /** As `run`, with other parts of the terminal, such as somebody to ask. */
  runWith(parts: Partial<Terminal>, ...argv: string[]): Promise<{ code: number; out: string; err: string }>;
  /** As `run`, in another folder. */
  runAt(folder: string, ...argv: string[]): Promise<{ code: number; out: string; err: string }>;
  /** The data directory's hub, between commands. */
  withHub<T>(work: (hub: Hub) => Promise<T>): Promise<T>;
}

export async function withTerminal(work: (terminal: TestTerminal) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const env: Record<string, string> = { MUSTER_DATA_DIR: join(dir, "data") };
  const runWith: TestTerminal["runWith"] = async (parts, ...argv) => {
    let out = "", err = "";
    const terminal: Terminal = {
      ...silent(env),
      ...parts,
      out: (line) => out += `${line}\n`,
      err: (text) => err += text,
    };
    return { code: await runCommand(argv, terminal), out, err };
  };
  try {
    await work({
      dir,
      env,
      run: (...argv) => runWith({}, ...argv),
      runWith,
      runAt: (folder, ...argv) => runWith({ base: pathToFileURL(`${folder}/`).href }, ...argv),
      withHub: (work) => withHub(silent(env), work),
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function silent(env: Record<string, string>): Terminal {
  return {
    out: () => {},
    err: () => {},
    isWatched: false,
    drawsBars: false,
    env,
    base: "file:///",
    listen: () => Promise.reject(new Error("Nothing is served here")),
    onUncaught: () => () => {},
    onInterrupt: () => () => {},
  };
}
