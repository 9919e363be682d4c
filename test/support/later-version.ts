/** A later version of Muster: the same code with one more migration, in a folder of its own. */
import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export const LATER = "99.1.0";

/** Gives its root folder. `migration`: the statement of its last migration. */
export function makeLaterVersion(t: TestContext, migration: string): string {
  const root = mkdtempSync(join(tmpdir(), "muster-later-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const name of ["src", "connectors", "migrations", "package.json"]) {
    cpSync(join(ROOT, name), join(root, name), { recursive: true });
  }
  symlinkSync(realpathSync(join(ROOT, "node_modules")), join(root, "node_modules"));
  const change = (path: string, edit: (content: Record<string, unknown>) => unknown) =>
    writeFileSync(join(root, path), JSON.stringify(edit(JSON.parse(readFileSync(join(root, path), "utf8")))));
  change("package.json", (content) => ({ ...content, version: LATER }));
  change("migrations/meta/_journal.json", (content) => {
    const entries = content.entries as { idx: number; when: number; tag: string }[];
    const last = entries.at(-1)!;
    return {
      ...content,
      entries: [...entries, { ...last, idx: last.idx + 1, when: last.when + 86_400_000, tag: "9999_later" }],
    };
  });
  writeFileSync(join(root, "migrations/9999_later.sql"), migration);
  return root;
}
