/** Several hubs on one database whose clocks differ, and one whose clock jumps: what comes out is as from one hub. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { openSqlite } from "../../src/runtime/sqlite.ts";
import { until } from "../support/bridging.ts";
import { onlyInCheckOnDeno } from "../support/rounds.ts";
import { type Served, startServing } from "../support/serve.ts";

/** As Debian's package `faketime` brings it. */
const LIBRARY = "faketime/libfaketimeMT.so.1";

function findLibrary(): string | null {
  const folders = existsSync("/usr/lib") ? readdirSync("/usr/lib").map((each) => join("/usr/lib", each)) : [];
  return folders.map((folder) => join(folder, LIBRARY)).find((path) => existsSync(path)) ?? null;
}

const library = findLibrary();
const skip = onlyInCheckOnDeno || (library === null && "libfaketime (Debian: faketime) is not here");

const ORGANIZATIONS = ["default", "second", "third"];
const PEOPLE = 16_000, FILES = 3, TENTH = PEOPLE / 10;
const ENDS_WITHIN_MS = 120_000;

/** What the process's clock says more than this machine's; it follows the file when `file` is written again. */
function clockOf(file: string, offset: string): Record<string, string> {
  writeFileSync(file, offset);
  return {
    LD_PRELOAD: library!,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_CACHE_DURATION: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
}

/** Each file gives another tenth of the people another title. */
function fileOf(number: number): string {
  const titleOf = (i: number) => {
    const turn = Math.floor(i / TENTH);
    return turn > 0 && turn <= number ? "Lead" : "Clerk";
  };
  const lines = Array.from({ length: PEOPLE }, (_, i) => `E${i},p${i}@acme.test,First${i},Last${i},${titleOf(i)}`);
  return `${["employee_id,email,first_name,last_name,title", ...lines].join("\n")}\n`;
}

for (const offsets of [["+0s", "+60s", "-60s"], ["+0s", "+3600s"]]) {
  test(`hubs with clocks of ${offsets.join(", ")} on one file do each change once`, { skip }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "muster-clocks-"));
    const servers: Served[] = [];
    try {
      for (const [n, offset] of offsets.entries()) {
        servers.push(await startServing({ MUSTER_DATA_DIR: folder, ...clockOf(join(folder, `clock-${n}`), offset) }));
      }
      const token = readFileSync(join(folder, "first-token"), "utf8").trim();
      let asked = 0;
      // deno-lint-ignore no-explicit-any
      const call = async (path: string, organization: string, init: RequestInit = {}): Promise<any> => {
        const answer = await fetch(`${servers[asked++ % servers.length]!.url}/v1/${path}`, {
          ...init,
          headers: { authorization: `Bearer ${token}`, "muster-organization": organization, ...init.headers },
        });
        assert.ok(answer.ok, `${path}: ${answer.status}`);
        return await answer.json();
      };
      for (const slug of ORGANIZATIONS.slice(1)) {
        await call("organizations", "default", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ slug, name: slug, timezone: "UTC" }),
        });
      }
      const counts: Record<string, number>[] = [];
      for (let number = 0; number < FILES; number++) {
        const runs = await Promise.all(ORGANIZATIONS.map(async (organization) => {
          const { run } = await call("connections/csv/drops?name=people.csv", organization, {
            method: "POST",
            headers: { "content-type": "text/csv" },
            body: fileOf(number),
          });
          return { id: run.id as string, organization };
        }));
        // The clock of the last hub goes back by an hour and forward again while it works.
        writeFileSync(join(folder, `clock-${offsets.length - 1}`), number % 2 === 0 ? "-3600s" : offsets.at(-1)!);
        for (const { id, organization } of runs) {
          const run = await until(
            `${id} ends`,
            () => call(`runs/${id}`, organization),
            ({ status }) => !["queued", "planning", "applying"].includes(status),
            ENDS_WITHIN_MS,
          );
          t.diagnostic(`${number} ${organization} ${run.status} ${JSON.stringify(run.counts)}`);
          assert.equal(run.status, "succeeded");
          counts.push(run.counts);
        }
      }
      const db = openSqlite(`file:${join(folder, "muster.db")}`);
      try {
        const last = FILES - 1;
        const wrong = db.all(`select organization_id, count(*), sum(title <> iif(
            cast(substr(email, 2, instr(email, '@') - 2) as integer) / ${TENTH} between 1 and ${last}, 'Lead', 'Clerk'))
          from users group by 1 order by 1`);
        t.diagnostic(JSON.stringify(wrong));
        t.diagnostic(JSON.stringify(db.all(`select type, count(*), count(distinct run_id) from events group by 1`)));
        assert.deepEqual(wrong.map(([, people, not]) => [people, not]), ORGANIZATIONS.map(() => [PEOPLE, 0]));
        for (const [n, each] of counts.entries()) {
          const isFirst = n < ORGANIZATIONS.length;
          assert.equal(each.created, isFirst ? PEOPLE : 0);
          assert.equal(each.updated, isFirst ? 0 : TENTH);
        }
        const events = db.all(`select run_id, type, count(*) from events
          where type in ('users.changed', 'run.completed') group by 1, 2`);
        assert.equal(events.length, 2 * ORGANIZATIONS.length * FILES, "each run has both events");
        assert.deepEqual(events.filter(([, , times]) => times !== 1), [], "each event once");
        const feed = db.all(`select organization_id, seq, count from change_pages where seq is not null order by seq`);
        for (const [n, [, seq]] of feed.entries()) {
          if (n > 0) assert.ok(seq as number >= (feed[n - 1]![1] as number) + (feed[n - 1]![2] as number));
        }
      } finally {
        db.close();
      }
    } finally {
      for (const server of servers) await server.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
