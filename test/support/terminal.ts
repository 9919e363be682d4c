/** A terminal for commands in tests: what they say is kept, and the environment is a data directory of their own. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../src/cli.ts";
import type { Terminal } from "../../src/cli/command.ts";

export interface TestTerminal {
  /** For files of the test's own; removed afterwards. */
  readonly dir: string;
  readonly env: Record<string, string>;
  run(...argv: string[]): Promise<{ code: number; out: string; err: string }>;
}

export async function withTerminal(work: (terminal: TestTerminal) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "muster-"));
  const env: Record<string, string> = { MUSTER_DATA_DIR: join(dir, "data") };
  try {
    await work({
      dir,
      env,
      async run(...argv) {
        let out = "", err = "";
        const terminal: Terminal = {
          out: (line) => out += `${line}\n`,
          err: (text) => err += text,
          drawsBars: false,
          env,
          base: "file:///",
          listen: () => Promise.reject(new Error("Nothing is served here")),
          onInterrupt: () => () => {},
        };
        return { code: await runCommand(argv, terminal), out, err };
      },
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
