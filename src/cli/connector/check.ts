/**
 * `muster connector check DIR`: loads an author's connector as a hub does, shows what its catalogue would have, and runs the
 * tests of its folder, by its package.json.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { settingsSchemaOf } from "../../runs/settings.ts";
import { DONE, FAILED, type Terminal } from "../../runtime/command.ts";
import { loadFrom } from "./load.ts";
import { coverageText } from "./text.ts";

export async function checkConnector(terminal: Terminal, place: string): Promise<number> {
  const { connector, folder } = await loadFrom(place, terminal.base);
  const { name, version, title, input, coverage, secrets, authKinds } = connector;
  const shown: [string, string][] = [
    ["name", name],
    ["version", version],
    ["title", title],
    ["code", connector.isolated?.digest ?? ""],
    ["input", input],
    ["brings", coverageText(coverage)],
    ["secrets", Object.keys(secrets ?? {}).join(", ")],
    ["authorization", authKinds?.join(", ") ?? ""],
    ["settings", JSON.stringify(settingsSchemaOf(connector))],
  ];
  for (const [what, value] of shown) if (value !== "") terminal.out(`${what.padEnd(14)} ${value}`);
  terminal.out("A hub can use it");
  if (!hasTests(folder)) return DONE;
  const passed = await runTests(folder, terminal);
  terminal.out(passed ? "Its tests pass" : "Its tests fail");
  return passed ? DONE : FAILED;
}

function hasTests(folder: string): boolean {
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) return false;
  return typeof JSON.parse(readFileSync(manifest, "utf8")).scripts?.test === "string";
}

/** What the tests print goes to the error stream. */
async function runTests(folder: string, { env, err, onInterrupt }: Terminal): Promise<boolean> {
  const child = spawn("npm", ["test"], { cwd: folder, env: { ...env }, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => err(String(data)));
  const restore = onInterrupt(() => child.kill());
  try {
    return await new Promise((resolve) => {
      child.on("error", (error) => {
        err(`npm cannot be started: ${error.message}\n`);
        resolve(false);
      });
      child.on("close", (code) => resolve(code === 0));
    });
  } finally {
    restore();
  }
}
