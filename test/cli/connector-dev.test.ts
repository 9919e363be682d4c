/** `muster connector dev`: an author saves, and sees what comes of it, whatever the connector does. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { sleep } from "../../src/std/sleep.ts";
import { onlyInCheck, onlyInCheckOnDeno } from "../support/rounds.ts";
import { startCommand } from "../support/serve.ts";
import { within } from "../support/within.ts";

const WAITS_MS = 90_000;

/** `rows`: the body of its fetch. */
const connector = (rows: string, more = "") => `
import { PEOPLE } from "./people.ts";
export default {
  api: 1, name: "acme-people", version: "1.0.0", title: "Acme people", input: "fetch", coverage: { users: "full" },
  settings: { "~standard": { version: 1, vendor: "own", validate: (value: unknown) => ({ value: value ?? {} }) } },
  settingsJsonSchema: { type: "object" },
  mapping: { id: "source_id", mail: "email", first: "first_name", last: "last_name", job: "title" }, key: "source_id",
  async *fetch({ log }) {
    ${rows}
  },${more}
};
`;
const YIELDS = `yield { origin: "people", records: PEOPLE };`;
const GOOD = connector(YIELDS);
const HANGS = connector("await new Promise(() => {});");
const people = (lastOfBo: string) =>
  `export const PEOPLE = [
  { id: "1", mail: "ana@acme.test", first: "Ana", last: "Sol", job: "Lead" },
  { id: "2", mail: "bo@acme.test", first: "Bo", last: "${lastOfBo}", job: "Engineer" },
];
`;

interface Dev {
  /** Writes the file, and resolves with what is shown until the command waits again. */
  save(name: string, text: string, how?: "in place" | "by another file"): Promise<string>;
  write(name: string, text: string): void;
  /** Resolves once a child reads. */
  runs(): Promise<void>;
  /** What is in its folder for temporary files. */
  left(): string[];
  /** Sends Ctrl-C, and resolves with the exit code. */
  interrupt(): Promise<number | null>;
}

async function withDev(work: (dev: Dev) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "muster-dev-"));
  const folder = join(dir, "acme"), temporary = join(dir, "tmp");
  await mkdir(folder);
  await mkdir(temporary);
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write("connector.ts", GOOD);
  write("people.ts", people("Lund"));
  const child = startCommand(["connector", "dev", folder], { TMPDIR: temporary });
  let said = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (data) => said += data);
  const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
  let isOver = false;
  void ended.then(() => isOver = true);
  const until = async (isSo: () => boolean) => {
    for (const end = Date.now() + WAITS_MS; !isSo(); await sleep(20)) {
      assert.ok(!isOver && Date.now() < end, `It does not come so far: ${said}`);
    }
  };
  const untilWaiting = async () => {
    await until(() => said.includes("Waiting for the next save"));
    const shown = said;
    said = "";
    return shown;
  };
  const left = () => readdirSync(temporary);
  try {
    assert.match(await untilWaiting(), /^create user .*bo@acme\.test.*last_name=Lund/m);
    await work({
      write,
      left,
      runs: () =>
        until(() =>
          ["muster-scratch-", "muster-connector-"].every((kind) => left().some((name) => name.startsWith(kind)))
        ),
      save(name, text, how = "in place") {
        if (how === "by another file") {
          write(`.${name}.new`, text);
          renameSync(join(folder, `.${name}.new`), join(folder, name));
        } else write(name, text);
        return untilWaiting();
      },
      interrupt() {
        process.kill(child.pid!, "SIGINT");
        return within(WAITS_MS, ended, () => new Error(`It does not end: ${said}`));
      },
    });
  } finally {
    if (!isOver) process.kill(child.pid!, "SIGKILL");
    await ended;
    rmSync(dir, { recursive: true, force: true });
  }
}

test("each save shows what changed, mistakes have a place, and Ctrl-C leaves nothing, also while a child runs", {
  skip: onlyInCheckOnDeno,
}, () =>
  withDev(async ({ save, write, runs, left, interrupt }) => {
    const changed = await save("people.ts", people("Lunde"), "by another file");
    assert.match(changed, /^1 is different from the last save:$/m);
    assert.match(changed, /^changed +user bo@acme\.test +last_name: Lund → Lunde$/m);
    assert.match(await save("people.ts", "export const PEOPLE = [;\n"), /Unexpected ";" \(people\.ts:1\)/);
    write("people.ts", people("Lund"));
    write("connector.ts", HANGS);
    await runs();
    assert.equal(await interrupt(), 0);
    assert.deepEqual(left(), []);
  }));

test(
  "a connector that exits, throws or hangs is named with its place, and a save ends a run that hangs",
  { skip: onlyInCheck },
  () =>
    withDev(async ({ save, write, runs, interrupt }) => {
      write("connector.ts", HANGS);
      await runs();
      assert.match(await save("connector.ts", connector("\n Deno.exit(3);")), /ExitCalled.*\(connector\.ts:10\)/);
      const throwing = connector(`${YIELDS}\n throw new TypeError("no");`);
      assert.match(await save("connector.ts", throwing), /threw TypeError \(connector\.ts:10\)/);
      const hangs = await save("connector.ts", connector("for (;;);"));
      assert.match(hangs, /did nothing for 10 s in "fetch"/);
      assert.match(hangs, /^Its "fetch" begins at connector\.ts:8$/m);
      assert.match(await save("connector.ts", `while (true);\n${GOOD}`), /did not load within 10 s/);
      assert.match(await save("connector.ts", GOOD), /^Nobody is different from the last save$/m);
      assert.equal(await interrupt(), 0);
    }),
);

test(
  "a new normalize counts under the same version, and a file that is missing is waited for",
  { skip: onlyInCheck },
  () =>
    withDev(async ({ save, interrupt }) => {
      const normalize =
        `\n  normalize: (row) => ({ source_id: String(row.cells[0]), email: row.cells[1], first_name: "New", last_name: "Name" }),`;
      const shown = await save("connector.ts", connector(YIELDS, normalize));
      assert.match(shown, /^acme-people 1\.0\.0, code [0-9a-f]{12}$/m);
      assert.match(shown, /^2 are different from the last save:$/m);
      assert.match(shown, /first_name: Ana → New/);
      const elsewhere = GOOD.replace("./people.ts", "./others.ts");
      assert.match(await save("connector.ts", elsewhere), /Could not resolve "\.\/others\.ts" \(connector\.ts:2\)/);
      assert.match(await save("others.ts", people("Lund")), /first_name: New → Ana/);
      assert.equal(await interrupt(), 0);
    }),
);
