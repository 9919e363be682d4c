/** What `muster restore` asks at a terminal about webhooks and mails that waited. */
import assert from "node:assert/strict";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { HUB } from "../../src/model/audit.ts";
import { createEndpoint } from "../../src/store/notify/endpoints.ts";
import { reserve } from "../../src/store/sequences.ts";
import { CTRL_C, CTRL_D, startAtTerminal, withoutTerminal } from "../support/pseudo-terminal.ts";
import { onlyInCheck, roundsOnDeno } from "../support/rounds.ts";
import { withTerminal } from "../support/terminal.ts";

const HEADER = "employee_id,email,first_name,last_name\n";

/** Deliveries that wait in the database of a data directory. */
function countWaiting(data: string): unknown {
  const database = new DatabaseSync(join(data, "muster.db"));
  try {
    const query = "select count(*) as count from events e join webhook_endpoints p on e.id > p.seen_event";
    return database.prepare(query).get()!.count;
  } finally {
    database.close();
  }
}

test("at a terminal, a restore asks whether what waited is sent or dropped, and nothing is changed without an answer", {
  skip: onlyInCheck || withoutTerminal,
}, () =>
  withTerminal(async ({ dir, env, run, withHub }) => {
    const people = join(dir, "people.csv"), file = join(dir, "muster.backup");
    const importPeople = async (n: number) => {
      await writeFile(people, `${HEADER}${n},person${n}@example.com,Person,Number${n}\n`);
      assert.equal((await run("import", people)).code, 0);
    };
    await importPeople(1);
    await withHub(async (hub) => {
      const id = await reserve(hub.db, "endpoint");
      const secret = await hub.secrets.seal(`webhook-endpoint:${id}`, "whsec_x");
      const url = "https://hooks.example.com/";
      await createEndpoint(hub.db, 1, { id, url, secret, description: null, eventTypes: null }, hub.now(), HUB);
    });
    await importPeople(2);
    assert.equal((await run("backup", file)).code, 0);

    const answered = async (name: string, keys: string) => {
      const data = join(dir, name);
      await mkdir(data);
      await cp(join(env.MUSTER_DATA_DIR!, "master-key"), join(data, "master-key"));
      const terminal = startAtTerminal(["restore", file], { MUSTER_DATA_DIR: data });
      await terminal.shows(
        /2 webhooks and 0 mails waited to be sent when the backup was made[^?]*Send or drop them\? $/,
      );
      terminal.type(keys);
      const { code, screen } = await terminal.ended();
      return { data, code, screen, names: (await readdir(data)).sort() };
    };
    const dropped = await answered("drop", "drop\r");
    assert.equal(dropped.code, 0, dropped.screen);
    assert.match(dropped.screen, /Restored the backup of/);
    assert.equal(countWaiting(dropped.data), 0);

    const sent = await answered("send", " Send\r");
    assert.equal(sent.code, 0, sent.screen);
    assert.equal(countWaiting(sent.data), 2);

    const refusals = [
      ["perhaps", "perhaps\r", /The answer is "perhaps": it should be send or drop/],
      ["empty", "\r", /The answer is "": it should be send or drop/],
      ["end", CTRL_D, /There was no answer: say --waiting send or --waiting drop/],
      ["interrupted", CTRL_C, /There was no answer: say --waiting send or --waiting drop/],
    ] as const;
    for (
      const [name, keys, message] of roundsOnDeno<readonly (typeof refusals)[number][]>(refusals, refusals.slice(2))
    ) {
      const refused = await answered(name, keys);
      assert.match(refused.screen, message);
      assert.equal(refused.code, 2, refused.screen);
      assert.deepEqual(refused.names, ["master-key"], name);
    }
  }));
