/** The console's pages of connections: what an admin sees and does there, and what others cannot. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scope } from "../../src/model/scope.ts";
import { formIn, signIn, type Visitor } from "../support/console.ts";
import { hireCrowd } from "../support/bamboohr/company.ts";
import { connected } from "../support/bamboohr/world.ts";
import { bridging } from "../support/bridging.ts";
import { createAsk, createTestToken } from "../support/hub.ts";
import { crowd, csv, HEADER, type Importing, importing } from "../support/imports.ts";
import { introduceBridge } from "../support/introduce.ts";

const COLUMNS = `${HEADER},is_active,title`;
const MARKUP = "<img src=x onerror=alert(1)>";
const READS: Scope[] = ["users:read", "runs:read", "connections:read"];

async function signedIn(world: Pick<Importing, "hub">, scopes: Scope[] = ["admin"]): Promise<Visitor> {
  return await signIn(world.hub, await createTestToken(world.hub, { scopes }));
}

test("the list says of each connection whether it works, what came last, when the next is due and who is mailed", () =>
  importing(async (world) => {
    await world.connect("bamboo", { connector: "bamboohr", settings: { subdomain: "acme" } });
    await world.connect("quiet", { name: MARKUP, technical_contact: "hr@acme.test" });
    await world.import(csv(COLUMNS, ...crowd(2, 1, () => ",yes,")));
    await world.post("/v1/connections/api/pause");
    const page = await (await signedIn(world)).open("/o/default/connections");
    assert.equal(page.status, 200);
    assert.match(page.text, /connections\/csv"[\s\S]*?Works[\s\S]*?people\.csv[\s\S]*?2 people were created/);
    assert.match(page.text, /connections\/api"[\s\S]*?Paused/);
    assert.match(page.text, /connections\/bamboo"[\s\S]*?Not set up[\s\S]*?API key[\s\S]*?Next: /);
    assert.match(page.text, /connections\/quiet"[\s\S]*?New[\s\S]*?Mails go to hr@acme\.test/);
    assert.match(page.text, /Add a connection/);
    assert.ok(!page.text.includes(MARKUP));
    const looking = await (await signedIn(world, READS)).open("/o/default/connections");
    assert.match(looking.text, /Works/);
    assert.ok(!looking.text.includes("Add a connection"));
  }));

test("the latest run of a connection is shown to those alone who may see runs", () =>
  importing(async (world) => {
    const run = await world.import(csv(COLUMNS, ...crowd(2, 1, () => ",yes,")));
    const page = await (await signedIn(world, ["connections:read"])).open("/o/default/connections");
    assert.match(page.text, /connections\/csv"/);
    assert.ok(!page.text.includes(run.id) && !page.text.includes("people.csv"));
  }));

test("a connection's page shows what is in force, with where each value comes from, in sentences", () =>
  importing(async (world) => {
    await world.connect("team", { connector: "sftp-drop", preset: "connecteam", name: "Team", settings: {} });
    await world.set("team", { policy: { missing: "deactivate" }, limits: { deactivate: { percent: 10 } } });
    const page = await (await signedIn(world, READS)).open("/o/default/connections/team");
    assert.equal(page.status, 200);
    const text = plainOf(page.text);
    assert.match(text, /Folder \/Uploads from the preset Connecteam/);
    assert.match(text, /Every day at 06:00 \(UTC\) from the preset Connecteam 2 March 2026|3 March 2026 at 06:00/);
    assert.match(text, /Coverage Only who changed from the preset Connecteam/);
    assert.match(
      text,
      /People who are missing from 2 full inputs in a row, and for 12 hours, are deactivated\. set here/,
    );
    assert.match(text, /An empty cell changes nothing\. from the preset Connecteam/);
    assert.match(text, /New people are added\. default/);
    assert.match(text, /Up to 10% of the people may lose access without approval \(.*?, at most 500\)\. set here/);
    assert.ok(
      !/<form method="post" action="\/o\/default\/connections/.test(page.text),
      "who may only look has no forms",
    );
    assert.ok(!page.text.includes("Change the settings"));
  }));

test("BambooHR is set up as its article says: subdomain and key, check, whom to import, sync, and a time", () =>
  connected(async (world) => {
    hireCrowd(world.fake.company, 12);
    const visitor = await signedIn(world);
    const catalogue = await visitor.open("/o/default/new-connection");
    assert.match(plainOf(catalogue.text), /BambooHR bamboohr .*? It needs: Subdomain, API key/);
    const asked = await visitor.open("/o/default/new-connection/bamboohr");
    const order = ["/name", "/settings/subdomain", "/secrets/api_key", "/settings/source", "/technical_contact"];
    const places = order.map((name) => asked.text.indexOf(`name="${name}"`));
    assert.ok(places.every((place, i) => place > (places[i - 1] ?? 0)), String(places));
    const wrong = {
      "/name": "People of Acme",
      "/settings/subdomain": "evil.example.com",
      "/secrets/api_key": "typed-secret",
    };
    const refused = await visitor.send(asked, "/new-connection/bamboohr", wrong);
    assert.equal(refused.status, 400);
    assert.match(refused.text, /is not a subdomain of BambooHR/);
    assert.match(refused.text, /aria-invalid="true"/);
    assert.match(refused.text, /value="People of Acme"/);
    assert.ok(!refused.text.includes("typed-secret"));
    const right = { ...wrong, "/settings/subdomain": "acme", "/secrets/api_key": world.fake.key };
    const page = await visitor.send(refused, "/new-connection/bamboohr", right);
    assert.equal(page.path, "/o/default/connections/people-of-acme");
    assert.match(page.text, /Next steps/);
    assert.match(page.text, /Not by itself/);
    assert.ok(!page.text.includes(world.fake.key));
    const checked = await visitor.send(page, "/check");
    assert.match(plainOf(checked.text), /BambooHR shows \d+ employees/);
    const status = "Full-Time";
    assert.match(checked.text, /name="status" value="Full-Time"/);
    const chosen = await visitor.send(checked, "/statuses", { all: "no", status: status! });
    assert.match(chosen.text, new RegExp(`Only people with these employment statuses are imported: ${status}\\.`));
    const all = await visitor.send(await visitor.send(chosen, "/check"), "/statuses", { all: "yes" });
    assert.match(all.text, /People of all employment statuses are imported/);
    const run = await visitor.send(all, "/sync", { mode: "plan" });
    assert.match(run.path, /^\/o\/default\/runs\/run_/);
    await world.work();
    assert.match((await visitor.open(run.path)).text, /would be created/);
    const settings = await visitor.open("/o/default/connections/people-of-acme/settings");
    assert.equal(shown(settings.text).timezone, "America/Los_Angeles", "the usual time is filled in, and not chosen");
    const timeless = await visitor.send(settings, "/settings", { ...shown(settings.text), when: "daily", at: "" });
    assert.equal(timeless.status, 400);
    assert.match(plainOf(timeless.text), /should be a time of day/);
    const timed = await visitor.send(settings, "/settings", {
      ...shown(settings.text),
      when: "daily",
      at: "05:30",
      timezone: "Europe/Berlin",
    });
    assert.match(
      plainOf(timed.text),
      /Every day at 05:30 \(Europe\/Berlin\) set here( \d+ March 2026 at 04:30 \(UTC\)){5}/,
    );
    assert.ok(!timed.text.includes(world.fake.key));
  }));

test("a key that is refused is shown on the connection's page as what it is", () =>
  connected(async (world) => {
    await world.ask("/v1/connections/bamboohr", { method: "PATCH", json: { secrets: { api_key: "wrong" } } });
    const visitor = await signedIn(world);
    const checked = await visitor.send(await visitor.open("/o/default/connections/bamboohr"), "/check");
    assert.match(checked.text, /cannot be read yet|was not done/);
    assert.match(checked.text, /API key not provided or invalid|refuse|not accept/i);
  }));

test("settings are changed with the version that was shown, a secret is replaced without being shown, what is empty stays", () =>
  connected(async (world) => {
    const visitor = await signedIn(world);
    const page = await visitor.open("/o/default/connections/bamboohr/settings");
    assert.match(page.text, /It is set\. Leave this empty to keep it/);
    assert.ok(!page.text.includes(world.fake.key));
    const before = await connectionOf(world, "bamboohr");
    const saved = await visitor.send(page, "/settings", {
      ...shown(page.text),
      "/name": "Bamboo",
      "/technical_contact": "it@acme.test",
    });
    assert.equal(saved.status, 200);
    const after = await connectionOf(world, "bamboohr");
    assert.deepEqual([after.name, after.technical_contact], ["Bamboo", "it@acme.test"]);
    assert.deepEqual([after.settings, after.schedule, after.secrets], [
      before.settings,
      before.schedule,
      before.secrets,
    ]);
    const stale = await visitor.send(page, "/settings", { ...shown(page.text), "/name": "Overwritten" });
    assert.equal(stale.status, 412);
    assert.match(stale.text, /value="Overwritten"/, "what was typed is not lost");
    assert.equal((await connectionOf(world, "bamboohr")).name, "Bamboo");
    world.later(1000);
    const again = await visitor.open("/o/default/connections/bamboohr/settings");
    await visitor.send(again, "/settings", { ...shown(again.text), "/secrets/api_key": "another-key" });
    const replaced = await connectionOf(world, "bamboohr");
    assert.notEqual(replaced.secrets.api_key.updated_at, before.secrets.api_key.updated_at);
  }));

test("rules are changed one by one, what is emptied goes back to its default, and what is wrong stays typed", () =>
  importing(async (world) => {
    await world.set("csv", {
      policy: { missing: "deactivate", only_statuses: ["Full-Time", "Part-Time"] },
      limits: { update: { cap: 7 } },
    });
    const visitor = await signedIn(world);
    const page = await visitor.open("/o/default/connections/csv/rules");
    const fields = shown(page.text);
    assert.equal(fields["/policy/missing"], "deactivate");
    assert.equal(fields["/policy/only_statuses"], "Full-Time\nPart-Time");
    const wrong = await visitor.send(page, "/rules", { ...fields, "/policy/missing_after_runs": "1000" });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /name="\/policy\/missing_after_runs"[^>]*aria-invalid="true"[^>]*value="1000"/);
    const same = await visitor.send(page, "/rules", fields);
    assert.equal(same.status, 200);
    const untouched = await connectionOf(world, "csv");
    assert.deepEqual(untouched.policy, { missing: "deactivate", only_statuses: ["Full-Time", "Part-Time"] });
    assert.deepEqual(untouched.limits, { update: { cap: 7 } });
    const next = await visitor.open("/o/default/connections/csv/rules");
    const { "/policy/create": _, ...others } = shown(next.text);
    await visitor.send(next, "/rules", {
      ...others,
      "/policy/missing": "",
      "/policy/only_statuses": "Full-Time\r\nIntern",
      "/limits/deactivate/percent": "2",
      "/limits/update/cap": "none",
    });
    const { policy, limits } = await connectionOf(world, "csv");
    assert.deepEqual(policy, { create: false, only_statuses: ["Full-Time", "Intern"] });
    assert.deepEqual(limits, { deactivate: { percent: 2 }, update: { cap: null } });
  }));

test("a log-in for files is made by password or key, its secret is shown once, with a sheet for the usual programs", () =>
  importing(async (world) => {
    const operator = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["admin", "operator"] }));
    await introduceBridge(world.hub, operator);
    await world.connect("files", { connector: "sftp-drop", preset: "connecteam", name: "Files" });
    const visitor = await signedIn(world);
    const page = await visitor.open("/o/default/connections/files");
    const made = await visitor.send(page, "/sftp-login/password");
    assert.equal(made.status, 200);
    const [, password] = /<code>((?:[0-9a-z]{5}-){4}[0-9a-z]{5})<\/code>/.exec(made.text)!;
    assert.equal(made.text.split(password!).length, 2, "once in the page");
    assert.equal(made.headers.get("cache-control"), "no-store");
    for (
      const part of [/sftp\.example\.com/, /SHA256:a{43}/, /\/Uploads/, /WinSCP/, /FileZilla/, /sftp -P 22 files-/]
    ) {
      assert.match(made.text, part);
    }
    const twice = await visitor.send(page, "/sftp-login/password");
    assert.equal(twice.status, 412, "the same form makes no second one");
    const pair = await visitor.send(await visitor.open("/o/default/connections/files"), "/sftp-login/key-pair");
    assert.match(pair.text, /-----BEGIN OPENSSH PRIVATE KEY-----/);
    for (const path of ["", "/sheet", "/settings"]) {
      const { text, status } = await visitor.open(`/o/default/connections/files${path}`);
      assert.equal(status, 200, path);
      assert.ok(!text.includes(password!) && !text.includes("PRIVATE KEY"), path);
    }
    const wrong = await visitor.send(await visitor.open("/o/default/connections/files"), "/sftp-login/public-key", {
      public_key: "no key",
    });
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /This was not done/);
    const bare = await visitor.send(await visitor.open("/o/default/connections/files"), "/sftp-login/remove");
    assert.ok(!bare.text.includes("It has a password"));
    assert.match(bare.text, /Keys that are let in/);
  }));

test("the host key of a remote server is compared by a person, and then trusted", () =>
  importing(async (world) => {
    const key = `SHA256:${"b".repeat(43)}`;
    const checked = { ok: false, detail: `"sftp.example.com" shows the host key ${key}`, found: { host_key: key } };
    const line = await bridging(world.hub, { checked });
    try {
      const settings = { mode: "remote", host: "sftp.example.com", username: "muster", folder: "/out" };
      await world.connect("far", { connector: "sftp-drop", settings, secrets: { password: "typed-secret" } });
      const visitor = await signedIn(world);
      const shownKey = await visitor.send(await visitor.open("/o/default/connections/far"), "/check");
      assert.match(plainOf(shownKey.text), /Is this the server(&#39;|')s key\?/);
      const trusted = await visitor.send(shownKey, "/host-key");
      assert.equal(trusted.status, 200);
      const { settings: after, secrets } = await connectionOf(world, "far");
      assert.deepEqual(after, { ...settings, host_key: key });
      assert.equal(secrets.password.set, true, "the same server keeps its secrets");
      assert.ok(!trusted.text.includes("typed-secret"));
    } finally {
      await line.kill();
    }
  }));

test("a key to encrypt files with is made, and its public half downloaded", () =>
  importing(async (world) => {
    const visitor = await signedIn(world);
    const page = await visitor.send(await visitor.open("/o/default/connections/csv"), "/pgp-keys");
    const [, path] = /href="([^"]*\/pgp-keys\/pgp_[^"]*)"/.exec(page.text)!;
    const answer = await visitor.ask(path!);
    assert.equal(answer.headers.get("content-type"), "application/pgp-keys");
    assert.match(answer.headers.get("content-disposition")!, /muster\.asc/);
    assert.match(await answer.text(), /^-----BEGIN PGP PUBLIC KEY BLOCK-----/);
  }));

test("a paused connection is resumed, and what the API refuses is shown above the page", () =>
  importing(async (world) => {
    const visitor = await signedIn(world);
    const paused = await visitor.send(await visitor.open("/o/default/connections/csv"), "/pause");
    assert.match(paused.text, /Paused[\s\S]*Resume/);
    const resumed = await visitor.send(paused, "/resume");
    assert.match(resumed.text, />Pause</);
    const { fields } = formIn(resumed.text, "/pause");
    const body = new URLSearchParams({ ...fields, mode: "auto" });
    const answer = await visitor.ask("/o/default/connections/csv/sync", { method: "POST", body });
    assert.equal(answer.status, 422);
    assert.match(await answer.text(), /This was not done[\s\S]*receives its input/);
  }));

test("who may not change connections sees no forms, and is refused when they send some", () =>
  importing(async (world) => {
    await world.connect("files", { connector: "sftp-drop", name: "Files" });
    const admin = await signedIn(world), visitor = await signedIn(world, READS);
    const { fields } = formIn((await visitor.open("/o/default/account")).text, "/sign-out");
    for (
      const path of [
        "/new-connection",
        "/new-connection/bamboohr",
        "/connections/files/settings",
        "/connections/files/rules",
      ]
    ) {
      assert.equal((await visitor.open(`/o/default${path}`)).status, 403, path);
      assert.equal((await admin.open(`/o/default${path}`)).status, 200, path);
    }
    const before = await connectionOf(world, "files");
    const posts = [
      "sync",
      "resume",
      "sftp-login/public-key",
      "sftp-login/remove",
      "check",
      "pause",
      "statuses",
      "host-key",
      "settings",
      "rules",
      "sftp-login/password",
      "sftp-login/key-pair",
      "pgp-keys",
      "authorize",
    ];
    for (const post of [...posts.map((name) => `/connections/files/${name}`), "/new-connection/bamboohr"]) {
      const body = new URLSearchParams({
        ...fields,
        "/name": "Mine",
        "/settings/subdomain": "acme",
        host_key: "x",
        "/policy/create": "",
      });
      const answer = await visitor.ask(`/o/default${post}`, { method: "POST", body });
      assert.equal(answer.status, 403, post);
      await answer.body?.cancel();
    }
    assert.deepEqual(await connectionOf(world, "files"), before);
    const own = await visitor.open("/o/default/connections/files");
    assert.equal(own.status, 200);
    assert.ok(!/<form method="post" action="\/o\/default\/connections/.test(own.text));
  }));

test("a connection of another organization is not there, whatever is asked of it", () =>
  importing(async (world) => {
    const operator = createAsk(world.hub, await createTestToken(world.hub, { scopes: ["admin", "operator"] }));
    await operator("/v1/organizations", { json: { slug: "other", name: "Other" } });
    await world.connect("hr");
    const { id } = await connectionOf(world, "hr");
    const stranger = await signIn(world.hub, await createTestToken(world.hub, { organization: "other" }));
    const { fields } = formIn((await stranger.open("/o/other/account")).text, "/sign-out");
    for (const name of ["hr", id]) {
      for (const path of ["", "/settings", "/rules", "/sheet"]) {
        assert.equal((await stranger.open(`/o/other/connections/${name}${path}`)).status, 404, name + path);
      }
      for (const post of ["pause", "check", "sync", "settings", "sftp-login/password", "pgp-keys"]) {
        const body = new URLSearchParams({ ...fields, "/name": "Mine" });
        const answer = await stranger.ask(`/o/other/connections/${name}/${post}`, { method: "POST", body });
        assert.equal(answer.status, 404, `${name}/${post}`);
        await answer.body?.cancel();
      }
    }
  }));

test("a form that is sent twice makes one connection, with its settings as they were ticked and typed", () =>
  importing(async (world) => {
    const visitor = await signedIn(world);
    const form = await visitor.open("/o/default/new-connection/csv-upload");
    const typed = {
      ...shown(form.text),
      "/name": "Second file",
      "/preset": "betterworks",
      "/settings/exact_names": "yes",
      "/settings/delimiter": ";",
      "/settings/skip_lines": "2",
      "/settings/active_words/active": "furloughed\r\nleave",
    };
    const made = await visitor.send(form, "/new-connection/csv-upload", typed);
    assert.equal(made.path, "/o/default/connections/second-file");
    const again = await visitor.send(form, "/new-connection/csv-upload", typed);
    assert.equal(again.status, 409);
    assert.match(again.text, /value="Second file"/);
    const { settings, preset, schedule } = await connectionOf(world, "second-file");
    assert.deepEqual([preset, schedule], ["betterworks", null]);
    assert.deepEqual(settings, {
      exact_names: true,
      delimiter: ";",
      skip_lines: 2,
      active_words: { active: ["furloughed", "leave"] },
    });
    const { data } = await (await world.ask("/v1/audit?action=connection.created")).json();
    assert.equal(data.length, 1, "in the audit, as by API");
  }));

test("names and settings that are markup stay text, on every page of a connection", () =>
  importing(async (world) => {
    await world.connect("odd", {
      connector: "sftp-drop",
      name: MARKUP,
      settings: { patterns: [MARKUP.replace("/", "")], active_words: { active: [MARKUP] } },
      policy: { only_statuses: [MARKUP] },
    });
    const visitor = await signedIn(world);
    for (const path of ["", "/settings", "/rules", "/sheet"]) {
      const { text, status } = await visitor.open(`/o/default/connections/odd${path}`);
      assert.equal(status, 200, path);
      assert.ok(!text.includes("<img"), path);
    }
  }));

/** What the page's main form would send, unchanged. */
function shown(page: string): Record<string, string> {
  const form = /<form[^>]*class="form">[\s\S]*?<\/form>/.exec(page)![0], fields: Record<string, string> = {};
  const valueOf = (tag: string) => plain(/value="([^"]*)"/.exec(tag)?.[1] ?? "");
  for (const [tag, name] of form.matchAll(/<input[^>]*name="([^"]*)"[^>]*>/g)) {
    if (/type="(checkbox|radio)"/.test(tag) && !/ checked/.test(tag)) continue;
    fields[name!] = valueOf(tag);
  }
  for (const [, name, options] of form.matchAll(/<select[^>]*name="([^"]*)"[^>]*>([\s\S]*?)<\/select>/g)) {
    fields[name!] = valueOf(/<option[^>]* selected[^>]*>/.exec(options!)?.[0] ?? /<option[^>]*>/.exec(options!)![0]);
  }
  for (const [, name, text] of form.matchAll(/<textarea[^>]*name="([^"]*)"[^>]*>\n?([\s\S]*?)<\/textarea>/g)) {
    fields[name!] = plain(text!);
  }
  return fields;
}

function plain(text: string): string {
  return text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}

// deno-lint-ignore no-explicit-any
async function connectionOf({ ask }: Pick<Importing, "ask">, slug: string): Promise<any> {
  return await (await ask(`/v1/connections/${slug}`)).json();
}

/** What is read on the page. */
function plainOf(page: string): string {
  return page.slice(page.indexOf("<main")).replace(/<[^>]*>/g, " ").replace(/\s+/g, " ");
}
