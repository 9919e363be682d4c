/** Programs of Debian's that some tests use. CI has them, or fails; elsewhere a test without one is skipped, with a word. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const FOLDERS = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"];

/**
 * Why a test with this program is skipped; false where it is there. By its path where the test starts it so, else by its
 * name. `debian`: the package that has it.
 */
export function without(program: string, debian: string): string | false {
  const places = program.startsWith("/") ? [program] : FOLDERS.map((folder) => join(folder, program));
  if (process.env.CI === "true" || places.some((path) => existsSync(path))) return false;
  return `${program} (Debian: ${debian}) is not here`;
}
