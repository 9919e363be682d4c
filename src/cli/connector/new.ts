/**
 * `muster connector new NAME`: a folder with a connector that works, its tests, and the packages that it needs, packed from
 * this copy of Muster.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../../model/errors.ts";
import { DONE, type Terminal } from "../../runtime/command.ts";
import { CONNECTOR_NAME } from "../../runtime/connector-faults.ts";
import { findDeno } from "../../runtime/sandbox/deno-program.ts";
import { filesOf } from "./template.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PACKAGES = ["connector", "testing"];

export function newConnector(terminal: Terminal, place: string): number {
  const folder = resolve(fileURLToPath(terminal.base), place), name = basename(folder);
  if (!CONNECTOR_NAME.test(name)) {
    throw new Fault(
      "invalid_request",
      `Cannot call a connector "${name}": it should be lower-case words joined by "-"`,
    );
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Fault("conflict", `${place} is there already, and not empty: name another folder`);
  }
  const packages = packInto(join(folder, "vendor"));
  for (const [path, text] of Object.entries(filesOf({ name, packages }))) writeFileSync(join(folder, path), text);
  terminal.out(`${place} has a connector that reads an invented source. Next:`);
  terminal.out(`  cd ${place}`);
  terminal.out("  npm install");
  terminal.out("  npm test");
  return DONE;
}

/** Builds the packages and packs them into the folder; gives what package.json calls each. */
function packInto(vendor: string): Record<string, string> {
  if (!existsSync(join(ROOT, "packages", "build.ts")) || !existsSync(join(ROOT, "node_modules", "typescript"))) {
    throw new Fault("unprocessable", "This copy of Muster cannot build its packages: run npm ci in a clone of it");
  }
  mkdirSync(vendor, { recursive: true });
  run(findDeno() ?? "deno", ["run", "-A", "--no-check", join(ROOT, "packages", "build.ts"), ...PACKAGES]);
  const folders = PACKAGES.map((name) => join(ROOT, "packages", name));
  const packed: { name: string; filename: string }[] = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", vendor, ...folders]),
  );
  return Object.fromEntries(packed.map(({ name, filename }) => [name, `file:vendor/${filename}`]));
}

function run(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (cause) {
    const { stderr = "" } = cause as { stderr?: string };
    throw new Fault("unprocessable", `${basename(program)} ${args[0]} failed: ${stderr.trim().slice(-500)}`, { cause });
  }
}
