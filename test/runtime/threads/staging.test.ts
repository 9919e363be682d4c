/** Staging as a command uses it: whatever becomes of the thread or its file, the people are the same. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { openDatabase } from "../../../src/runtime/database.ts";
import { createStaging } from "../../../src/runtime/threads/staging.ts";
import { runNext } from "../../../src/runs/next.ts";
import type { Staging } from "../../../src/store/runs/staging.ts";
import { createLab, hand, openLab, run, runOf } from "../../laws/lab.ts";
import { accountOf, stateOf, toldOf } from "../../laws/state.ts";
import { onlyInCheck } from "../../support/rounds.ts";

/** New people: managers in later pages and nowhere, an email twice, a leaver, quotes and accents. */
const fileOf = (people: number) =>
  [
    "employee_id,email,first_name,last_name,title,department_name,manager_id,is_active",
    ...Array.from({ length: people }, (_, index) => {
      const i = index + 1;
      const email = i === people ? "p7@example.com" : `p${i}@example.com`;
      const manager = i % 500 === 0 ? "nobody" : i === 1 ? "" : `${people + 1 - Math.ceil((people + 1 - i) / 3)}`;
      return `${i},${email},Zoë ${i},"O""Hara, ${i}",${i % 3 === 0 ? "" : "Engineer"},Department ${i % 20},${manager},${
        i % 900 === 0 ? "no" : "yes"
      }`;
    }),
  ].join("\n") + "\n";

async function importStaged(
  people: number,
  arrange: (folder: string) => void,
  check: (told: { opened: number[]; folder: string }) => Promise<void> | void,
): Promise<void> {
  const calm = await createLab({ key: "employee_id" });
  const path = await calm.save();
  const input = { connection: "first", text: fileOf(people) } as const;
  const whole = await run(calm, input);
  const lab = await openLab(path, calm.clock.ms);
  const id = await hand(lab, input);
  lab.close();
  const { db, attach } = await openDatabase({ url: `file:${path}`, authToken: null, role: "alone" });
  const folder = mkdtempSync(join(tmpdir(), "muster-staging-"));
  try {
    arrange(folder);
    const staging = createStaging(folder, `file:${path}`, attach, { pagesAlone: 0 });
    const opened: number[] = [];
    const watched: Staging = {
      ...staging,
      async open() {
        const pages = await staging.open();
        opened.push(pages.size);
        return pages;
      },
    };
    const staged = { ...lab, hub: { ...lab.hub, db } };
    const options = { signal: new AbortController().signal, owner: "staged", rethrow: true, staging: watched };
    assert.equal(await runNext(staged.hub, options), id);
    const after = await runOf(staged, id);
    assert.equal(after.status, "partial", JSON.stringify(after.error));
    assert.deepEqual(await accountOf(staged, after), await accountOf(calm, whole));
    assert.deepEqual(await toldOf(staged, after), await toldOf(calm, whole));
    assert.deepEqual(await stateOf(staged, { digests: true }), await stateOf(calm, { digests: true }));
    await check({ opened, folder });
  } finally {
    db.close();
    calm.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test(
  "people who were staged are the same people, and nothing of them is left lying about",
  { skip: onlyInCheck },
  async () => {
    // Three pages.
    await importStaged(
      12_000,
      (folder) => {
        writeFileSync(join(folder, "staging-999999999.db"), "what a process left that was killed");
        writeFileSync(join(folder, "muster.db"), "not ours to remove");
      },
      ({ opened, folder }) => {
        // A page was rewritten when the second row with one email came, and is read as it is now.
        assert.deepEqual(opened, [1]);
        assert.deepEqual(readdirSync(folder), ["muster.db"]);
      },
    );
  },
);

test("where the thread cannot write its file, the people are read from the plan", { skip: onlyInCheck }, async () => {
  await importStaged(
    1_000,
    (folder) => mkdirSync(join(folder, `staging-${process.pid}.db`)),
    ({ opened, folder }) => {
      assert.deepEqual(opened, [0]);
      assert.ok(existsSync(folder));
    },
  );
});
