/**
 * Runs the tests on Deno: `deno run -A test/run.ts [FOLDER…]`, all unless folders are named.
 *
 * Deno gives each file an isolate of its own, which loads the whole hub for a second before the first test begins: half of
 * the time of all tests. So files of one folder share isolates. Those that keep something for themselves have their own:
 * hooks around all tests, the environment, memory, the one hub of a Worker. Each file can be run by itself with
 * `deno test -A --no-check FILE`.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const GROUPS = join(ROOT, ".seen", "groups");
const FILES_A_GROUP = 10;
/**
 * Tests wait for processes and timers, so one more at a time than there are cores ends sooner. Not in the check, whose long
 * stories are about processes that have to answer in time.
 */
const JOBS = String(availableParallelism() + (process.env.MUSTER_TEST_ALL === undefined ? 1 : 0));

/** What a file does that others in its isolate would notice. */
const ALONE =
  /^(?:before|after)(?:Each)?\(|\b(?:process\.env|Deno\.env|umask|process\.on|memoryUsage|short-limits|support\/memory|on-workers|src\/worker\.ts)\b/m;

const folders = process.argv.slice(2);
const files = (folders.length === 0 ? ["test"] : folders)
  .flatMap((folder) => globSync(join(folder, "**/*.test.ts"), { cwd: ROOT })).toSorted();
const alone = files.filter((file) => ALONE.test(readFileSync(join(ROOT, file), "utf8")));
const shared = new Map<string, string[]>();
for (const file of files.filter((each) => !alone.includes(each))) {
  shared.set(dirname(file), [...shared.get(dirname(file)) ?? [], file]);
}

rmSync(GROUPS, { recursive: true, force: true });
mkdirSync(GROUPS, { recursive: true });
const groups = [...shared].flatMap(([folder, members]) =>
  Array.from(
    { length: Math.ceil(members.length / FILES_A_GROUP) },
    (_, n) => writeGroup(folder, n, members.slice(n * FILES_A_GROUP, (n + 1) * FILES_A_GROUP)),
  )
);
// By name: Deno takes its own path among a child's arguments for a call of Node's, and changes what follows it.
const { status } = spawnSync("deno", ["test", "-A", "--no-check", "--parallel", ...groups, ...alone], {
  cwd: ROOT,
  stdio: "inherit",
  env: { DENO_JOBS: JOBS, ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}` },
});
process.exit(status ?? 1);

/** A file that imports all of a group; its name says of which folder they are. */
function writeGroup(folder: string, n: number, members: readonly string[]): string {
  const file = join(GROUPS, `${folder.replaceAll(/[\\/]/g, "-")}-${n + 1}.test.ts`);
  writeFileSync(
    file,
    members.map((member) => `import ${JSON.stringify(pathToFileURL(join(ROOT, member)).href)};\n`).join(""),
  );
  return file;
}
