/** Files of people who were erased, on a bridge's disk: a whole hub, a whole bridge with its real server, and a client. */
import { sql } from "drizzle-orm";
import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createHostedServer } from "../../src/bridge/hosted/server.ts";
import { eraseUnheldTree } from "../../src/bridge/hosted/erase-tree.ts";
import { createRegistry } from "../../src/runtime/registry.ts";
import { createFileCleaner } from "../../src/upkeep/clean-file.ts";
import { type Bridging, bridging, type BridgingOptions, isHeld, until } from "../support/bridging.ts";
import { connect, done } from "../support/hosted.ts";
import { type Ask, createAsk, createTestToken } from "../support/hub.ts";
import { type Importing, importing } from "../support/imports.ts";
import { onlyInCheck } from "../support/rounds.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

const HEADER = "email,employee_id,first_name,last_name,hire_date\n";
const THEIRS = `${HEADER}zq@acme.test,'Z1,Zqfirst,Zqlast,zq-day\n`;
const OTHERS = `${HEADER}bo@acme.test,'B1,Bo,Berg,\n`;

interface Customer {
  readonly id: string;
  readonly organization: string;
  /** What is on the bridge's disk in one of the tree's folders. */
  names(folder: "drops" | "bak" | "reports" | "failed" | "aside"): string[];
  path(folder: string, name?: string): string;
  /** Puts a file, and waits until it is taken and its run has ended. */
  put(name: string, text: string): Promise<void>;
  /** Only puts it; false leaves it half. */
  write(name: string, text: string, isWhole?: boolean): Promise<() => void>;
}

interface World extends Importing {
  readonly dir: string;
  readonly line: { line: BridgingOptions["line"] };
  bridge: Bridging;
  customer(settings?: object, ask?: Ask): Promise<Customer>;
  erase(name?: string): Promise<Json>;
  erasure(id: string): Promise<Json>;
  /** Until no bridge has anything to do for it. */
  followed(id: string): Promise<Json>;
}

async function bridged(work: (world: World) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "muster-erased-"));
  const line: World["line"] = { line: undefined };
  await importing(async (world) => {
    const bridge = await bridging(world.hub, {
      dir,
      createHostedServer: (options) => createHostedServer(options, { limits: { settleMs: 20, retryMs: 50 } }),
      now: Date.now,
      line: (request, send) => (line.line ?? ((_, go) => go()))(request, send),
    });
    const made = createWorld(world, dir, line, bridge);
    try {
      await work(made);
    } finally {
      await made.bridge.kill();
    }
    // With what is said of the database's own file.
  }, { registry: createRegistry(), now: Date.now(), onServer: false });
  rmSync(dir, { recursive: true, force: true });
}

function createWorld(
  world: Importing,
  dir: string,
  line: World["line"],
  bridge: Bridging,
): World {
  const erasure = async (id: string) => await (await world.ask(`/v1/users/${id}/erasure`)).json();
  const made: World = Object.assign(Object.create(null), world, {
    dir,
    line,
    bridge,
    erasure,
    async customer(settings: object = {}, ask: Ask = world.ask) {
      const name = `hr-${crypto.randomUUID().slice(0, 8)}`;
      const json = {
        connector: "sftp-drop",
        name,
        settings: { mode: "hosted", ...settings },
        policy: { coverage: "diff" },
      };
      const { id } = await (await ask("/v1/connections", { json })).json();
      const login = await (await ask(`/v1/connections/${id}/sftp-login`, {
        json: { method: "password" },
      })).json();
      const path = (folder: string, name = "") => join(dir, id, folder, name);
      const names: Customer["names"] = (folder) => readdirSync(path(folder)).sort();
      const write: Customer["write"] = async (name, text, isWhole = true) => {
        const { client, sftp } = await connect(
          { port: made.bridge.bridge.hosted!.port },
          login.username,
          {
            password: login.password,
          },
        );
        const handle = await done<Buffer>((callback) => sftp.open(`/incoming/${name}`, "w", callback));
        await done((callback) => sftp.write(handle, Buffer.from(text), 0, text.length, 0, callback));
        if (isWhole) await done((callback) => sftp.close(handle, callback));
        if (isWhole) client.end();
        return () => void client.end();
      };
      return {
        id,
        names,
        path,
        write,
        async put(name: string, text: string) {
          const before = (await world.runs()).length;
          await write(name, text);
          await until(
            "it is put away",
            () => names("drops").length === 0 && names("bak").length > 0,
          );
          world.hub.clock.ms = Date.now();
          if (ask === world.ask) {
            await until(
              "its run is there",
              async () => (await world.runs()).length > before,
            );
          }
          await world.carry();
        },
      };
    },
    async erase(name = "zq@acme.test") {
      world.hub.clock.ms = Date.now();
      const { status, body } = await world.post(
        `/v1/users/${(await world.person(name)).id}/erase`,
        {},
      );
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    },
    async followed(id: string) {
      const isFollowed = ({ pending }: Json) => !pending.some(({ what }: Json) => what === "sftp_files");
      return await until(
        "the bridge has followed",
        () => erasure(id),
        isFollowed,
        20_000,
      );
    },
  });
  return made;
}

const what = (list: Json[]) => list.map((each) => each.what);
/** As files are that nobody has touched for an hour. */
function age(path: string): void {
  const old = new Date(Date.now() - 3_600_000);
  utimesSync(path, old, old);
}

test("copies, reports and what is never taken go; inputs to come and trees of others stay", () =>
  bridged(async (world) => {
    const hr = await world.customer({ patterns: ["*.csv"] });
    const other = createAsk(world.hub, await createOrganization(world));
    const theirs = await world.customer({}, other);
    await hr.put("people.csv", THEIRS);
    await until("the report is there", () => hr.names("reports").length > 0);
    await theirs.put("people.csv", THEIRS);
    await hr.write("people.notes", THEIRS);
    const cut = await hr.write("half.csv", THEIRS, false);
    // Nothing is taken while the hub cannot be asked, so that one waits.
    world.line.line = (request, send) => request.path.endsWith("/uploads") ? Promise.reject(new Error("away")) : send();
    await hr.write("later.csv", OTHERS);
    for (const name of ["people.notes", "half.csv"]) {
      age(hr.path("drops", name));
    }

    const erased = await world.erase();
    assert.deepEqual(what(erased.erasure.pending), [
      "sftp_files",
      "database_file",
    ]);
    assert.equal(erased.erasure.completed_at, null);
    await until(
      "the copies are gone",
      () => hr.names("bak").length === 0 && hr.names("reports").length === 0,
    );
    // One is still being written, so it is not over.
    await until(
      "what is never taken is gone",
      () => !hr.names("drops").includes("people.notes"),
    );
    assert.ok(
      what((await world.erasure(erased.id)).pending).includes("sftp_files"),
    );
    cut();
    await until("what nobody writes any more is gone", () => !hr.names("drops").includes("half.csv"));
    const { left } = await world.followed(erased.id);
    assert.deepEqual(hr.names("drops"), ["later.csv"]);
    assert.deepEqual(what(left), ["backups", "sent", "waiting_files"]);
    assert.equal(theirs.names("bak").length, 1);

    await createFileCleaner(world.hub)();
    const { pending, completed_at } = await world.erasure(erased.id);
    assert.deepEqual(pending, []);
    assert.notEqual(completed_at, null);
    // The audit has it by ids, as everything.
    const { data } = await (await world.ask("/v1/audit?action=user.erased_in_files")).json();
    assert.deepEqual(data[0].subjects.slice(0, 2), [erased.id, hr.id]);
  }));

test("a bridge that is away follows when it is back, and takes no copy that was moved back meanwhile", {
  skip: onlyInCheck,
}, () =>
  bridged(async (world) => {
    const hr = await world.customer();
    await hr.put("people.csv", THEIRS);
    await hr.put("others.csv", OTHERS);
    const count = (await world.runs()).length;
    world.bridge = await awayDuring(world, async () => {
      const erased = await world.erase();
      assert.ok(what(erased.erasure.pending).includes("sftp_files"));
      for (const name of hr.names("bak")) {
        renameSync(hr.path("bak", name), hr.path("drops", name));
      }
    });
    const person = (await world.people()).find(({ email, status }) => email === null && status === "inactive")!;
    await world.followed(person.id);
    // The one that held nobody who was erased is taken; the other one is gone, and a note says why.
    await until("all is done", () => hr.names("drops").length === 0);
    await until(
      "the note is written",
      () => hr.names("reports").some((name) => name.endsWith(".not-used.txt")),
    );
    await world.carry();
    assert.equal((await world.runs()).length, count + 1);
    assert.ok(hr.names("bak").every((name) => name.endsWith("others.csv")));
    const note = readFileSync(
      hr.path("reports", hr.names("reports")[0]),
      "utf8",
    );
    assert.match(note, /held a person whose data has been\r\nerased since/);
    assert.match(note, /export the file again without that person/);
    assert.equal(
      (await world.people()).some(({ email }) => email === "zq@acme.test"),
      false,
    );
    // Exported anew, it is a file like any other.
    await hr.put(
      "people.csv",
      `${THEIRS.replace("zq@", "cy@").replaceAll("Zq", "Cy")}`,
    );
    assert.ok(
      (await world.people()).some(({ email }) => email === "cy@acme.test"),
    );
  }));

test("a bridge that is killed before it has confirmed does it again, and only then it is reported as done", {
  skip: onlyInCheck,
}, () =>
  bridged(async (world) => {
    const hr = await world.customer();
    await hr.put("people.csv", THEIRS);
    let tries = 0;
    world.line.line = (request, send) => {
      if (!request.path.endsWith("/erasures")) return send();
      tries++;
      return Promise.reject(new Error("killed"));
    };
    const erased = await world.erase();
    await until("it was tried", () => tries > 0);
    assert.ok(
      what((await world.erasure(erased.id)).pending).includes("sftp_files"),
    );
    world.line.line = undefined;
    world.bridge = await world.bridge.again();
    await world.followed(erased.id);
    assert.deepEqual(hr.names("bak"), []);
  }));

test("the tree of a connection that was deleted goes at once, and a bridge that was removed is reported as left", () =>
  bridged(async (world) => {
    const hr = await world.customer();
    await hr.put("people.csv", THEIRS);
    await world.ask(`/v1/connections/${hr.id}`, { method: "DELETE" });
    const aside = () => readdirSync(join(world.dir, "aside")).filter((name) => name.endsWith(hr.id));
    await until("it is set aside", () => {
      try {
        return aside().length === 1;
      } catch {
        return false;
      }
    });
    const erased = await world.erase();
    await world.followed(erased.id);
    assert.deepEqual(aside(), []);

    await world.bridge.kill();
    const again = await world.post(`/v1/users/${erased.id}/erase`, {});
    assert.ok(what(again.body.erasure.pending).includes("sftp_files"));
    const { data: [{ id }] } = await (await world.bridge.operator("/v1/bridges")).json();
    await world.bridge.operator(`/v1/bridges/${id}`, { method: "DELETE" });
    const { pending, left } = await world.erasure(erased.id);
    assert.deepEqual(what(pending), ["database_file"]);
    assert.ok(what(left).includes("removed_bridge"));
  }));

test("a tree that the bridge holds no more also loses the report that it wrote when it was killed", async () => {
  const dir = mkdtempSync(join(tmpdir(), "muster-erased-"));
  for (const folder of ["drops", "bak", "reports", "failed", "aside", "making"]) {
    mkdirSync(join(dir, folder));
    writeFileSync(join(dir, folder, "people.csv"), THEIRS, { mode: 0o640 });
  }
  assert.deepEqual(await eraseUnheldTree(dir, Date.now(), Date.now()), { isDone: true, waiting: 2 });
  const left = readdirSync(dir).filter((folder) => readdirSync(join(dir, folder)).length > 0);
  assert.deepEqual(left.sort(), ["aside", "drops"]);
  rmSync(dir, { recursive: true, force: true });
});

test("a server of others keeps its files, which the answer says; a copy that is moved back is not taken there either", () =>
  importing(async (world) => {
    const { hub, ask } = world;
    const bridge = await bridging(hub);
    try {
      const add = async (settings: object) => {
        const made = await ask("/v1/connections", {
          json: {
            connector: "sftp-drop",
            name: `hr-${crypto.randomUUID().slice(0, 8)}`,
            settings: { mode: "remote", host: "sftp.example.com", username: "muster", folder: "out", ...settings },
            policy: { coverage: "diff" },
          },
        });
        const { id } = await made.json();
        await isHeld(bridge, id);
        return { id, server: bridge.server(id) };
      };
      const moved = await add({}), left = await add({ after: "leave" });
      for (const { id, server } of [moved, left]) {
        server.drop("/out/zq@acme.test.csv", THEIRS);
        await bridge.poller.visit(id);
        await world.carry();
      }
      const count = (await world.runs()).length;
      const person = await world.person("zq@acme.test");
      const { body } = await world.post(`/v1/users/${person.id}/erase`, {});
      assert.deepEqual(
        body.erasure.left.filter(({ what }: Json) => what === "files_on_server")
          .map((each: Json) => [each.what, each.connection_id, each.until !== null]),
        [["files_on_server", moved.id, true], ["files_on_server", left.id, false]],
      );
      await until("the bridge has followed", async () => {
        const { pending } = await (await ask(`/v1/users/${person.id}/erasure`)).json();
        return pending.every(({ what }: Json) => what === "database_file");
      });
      const rows = await hub.db.rows<[string, string]>(sql`select name, sha256 from bridge_files`);
      assert.ok(rows.every(([name, digest]) => name.startsWith("keyed:") && digest.startsWith("keyed:")));

      // The same name again, touched or not, and another name: it is known where it is left.
      left.server.drop("/out/zq@acme.test.csv", THEIRS, 1_700_000_060_000);
      left.server.drop("/out/other.csv", THEIRS);
      moved.server.drop("/out/again.csv", THEIRS);
      for (const { id, server } of [left, moved]) {
        await bridge.poller.visit(id);
        await until(
          "the note is written",
          () => server.names("/out/reports").some((name) => name.endsWith(".not-used.txt")),
        );
      }
      await world.carry();
      assert.equal((await world.runs()).length, count);
      assert.deepEqual(left.server.names("/out").sort(), ["other.csv", "zq@acme.test.csv"]);
      assert.deepEqual(moved.server.names("/out"), []);
    } finally {
      await bridge.kill();
    }
  }, { registry: createRegistry() }));

/** What happens while there is no bridge; gives the one that comes back. */
async function awayDuring(
  world: World,
  work: () => Promise<void>,
): Promise<Bridging> {
  world.line.line = () => Promise.reject(new Error("away"));
  await world.bridge.bridge.close();
  await work();
  world.line.line = undefined;
  return await world.bridge.again();
}

async function createOrganization(world: World): Promise<string> {
  const operator = world.bridge.operator;
  await operator("/v1/organizations", {
    json: { slug: "neighbour", name: "Neighbour" },
  });
  return await createTestToken(world.hub, { organization: "neighbour" });
}
