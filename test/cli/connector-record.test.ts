/** `muster connector record`: a tape of a source that puts its people everywhere, and none of them is on it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { testConnector } from "../../src/kit/laws/test-connector.ts";
import { tape } from "../../src/kit/tape.ts";
import { onlyInCheck, onlyInCheckOnDeno, rounds } from "../support/rounds.ts";
import { type TestTerminal, withTerminal } from "../support/terminal.ts";

const KEY = "key-of-acme-0123456789";
const FIRST = ["Ana", "Bo", "Cyrille", "Dörte", "Eli", "Fatima", "Gustavo"];
const LAST = ["Sol", "Lund", "Wang", "Müller", "O'Brien", "Haddad", "Pereira"];
const PEOPLE = FIRST.map((first, i) => ({
  personId: 40017 + 31 * i,
  who: { first, last: LAST[i]!, full: `${first} ${LAST[i]}` },
  contact: { mail: `${first}.${i}@acme.test`, phone: `+49 30 90182${i}0`, home: `Lindenweg ${i + 40}, 10969 Berlin` },
  status: i === 6 ? "left" : "active",
  hired: `201${i}-05-1${i}`,
  bossId: i === 0 ? null : 40017,
  remarks: `${first} likes sailing; asks for Ana Sol`,
}));
const mailOf = (i: number) => PEOPLE[i]!.contact.mail;

/** Asks for pages by links, for each person by number, and for a table by the address of the first one. */
const CONNECTOR = `
const fault = (text, kind = "answer") => Object.assign(new Error(text), { name: "SourceFault", kind });
const kindOf = (status) =>
  status === 401 || status === 403 ? "credentials" : status === 408 || status === 429 || status >= 500 ? "connection" : "answer";
const good = (answer) => {
  if (answer.status !== 200) throw fault("The source answered " + answer.status, kindOf(answer.status));
  return answer;
};
const isGood = (value) => Object.keys(value ?? {}).join() === "host" && typeof value.host === "string";
export default {
  api: 1, name: "acme-people", version: "1.0.0", title: "Acme people", input: "fetch", coverage: { users: "full" },
  settings: { "~standard": { version: 1, vendor: "own", validate: (value) =>
    isGood(value) ? { value } : { issues: [{ message: "should be a host", path: ["host"] }] } } },
  settingsJsonSchema: {
    type: "object", properties: { host: { type: "string" } }, required: ["host"], additionalProperties: false,
  },
  secrets: { key: { title: "Key" } }, authKinds: ["bearer"],
  auth: () => ({ kind: "bearer", token: { secret: "key" } }), hosts: ({ host }) => [host],
  mapping: { id: "source_id", mail: "email", first: "first_name", last: "last_name", boss: "manager_key", team: "department_name" },
  key: "source_id",
  async check({ fetch, settings }) {
    const { total } = await good(await fetch("http://" + settings.host + "/count")).json();
    return { ok: total > 0, detail: total + " people", found: { total } };
  },
  async *fetch({ fetch, settings, expectTotal }) {
    const people = [], asked = new Set(), base = "http://" + settings.host;
    for (let next = "/people?size=3"; next !== null;) {
      if (asked.has(next)) throw fault("a circle of pages");
      asked.add(next);
      const body = await good(await fetch(base + next)).json();
      if (!Array.isArray(body.people) || !("next" in body)) throw fault("no page");
      people.push(...body.people);
      next = body.next;
    }
    const here = people.filter(({ status }) => status !== "left");
    const table = await good(await fetch(base + "/teams?of=" + encodeURIComponent(here[0].contact.mail))).text();
    if (!table.startsWith("mail;team\\n") || !table.endsWith("\\n")) throw fault("no table");
    const teams = new Map(table.trim().split("\\n").slice(1).map((line) => line.split(";")));
    expectTotal(here.length);
    for (const { personId, who, contact, bossId } of here) {
      const more = await fetch(base + "/people/" + personId + "/photo");
      if (more.status !== 404) good(more);
      const record = { id: personId, mail: contact.mail, first: who.first, last: who.last, boss: bossId };
      if (!teams.has(contact.mail)) throw fault("no team of everybody");
      record.team = teams.get(contact.mail);
      yield { origin: "/people/" + personId, records: [record] };
    }
  },
};
`;

async function withSource(work: (host: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const url = new URL(request.url!, "http://source"), shown = request.headers.authorization ?? "";
    const about = { "set-cookie": `for=${mailOf(0)}`, "x-answered-for": mailOf(0), "x-people": KEY };
    const answer = (status: number, type: string, body: string) =>
      void response.writeHead(status, { ...about, "content-type": type }).end(body);
    if (shown !== `Bearer ${KEY}`) return answer(401, "text/plain", `No: ${shown}`);
    if (url.pathname === "/count") {
      return answer(200, "application/json", JSON.stringify({ total: PEOPLE.length, by: mailOf(1) }));
    }
    if (url.pathname === "/teams") {
      const rows = PEOPLE.map(({ contact, who }) => `${contact.mail};Team of ${who.full}`);
      return answer(200, 'text/csv; name="ana.csv"', `mail;team\n${rows.join("\n")}\n`);
    }
    if (url.pathname !== "/people") return answer(404, "text/html", `<p>No photo of ${mailOf(2)} for ${shown}</p>`);
    const after = PEOPLE.findIndex(({ contact }) => contact.mail === url.searchParams.get("after")) + 1;
    const people = PEOPLE.slice(after, after + 3), isLast = after + 3 >= PEOPLE.length;
    const next = isLast ? null : `/people?size=3&after=${encodeURIComponent(people.at(-1)!.contact.mail)}`;
    const byMail = Object.fromEntries(people.map((each) => [each.contact.mail, { [each.who.full]: { deep: [each] } }]));
    answer(
      200,
      "application/json",
      JSON.stringify({ people, next, byMail, asked: shown, token: `${KEY.slice(0, 12)}` }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Records the source by the connector. */
async function record({ run, env, dir }: TestTerminal, host: string, code = CONNECTOR) {
  await mkdir(join(dir, "acme"), { recursive: true });
  writeFileSync(join(dir, "acme", "connector.js"), code);
  env.MUSTER_SECRET_KEY = KEY;
  const settings = JSON.stringify({ host });
  return await run("connector", "record", join(dir, "acme"), "--settings", settings, "--allow-host", "127.0.0.1");
}

test(
  "a tape has nobody of a source that puts people everywhere, and plays with as many",
  { skip: onlyInCheckOnDeno },
  () =>
    withTerminal((terminal) =>
      withSource(async (host) => {
        const { code, out, err } = await record(terminal, host);
        assert.equal(code, 0, out + err);
        assert.match(out, /has 11 answers with 6 users/);
        const module = join(terminal.dir, "acme", "connector.js"),
          file = join(terminal.dir, "acme", "tapes", "acme-people.json");
        const text = readFileSync(file, "utf8");
        const own = PEOPLE.flatMap(({ personId, who, contact, hired }) => [
          String(personId),
          ...[who.first, who.last].filter((name) => name.length > 2),
          contact.mail.split("@")[0]!,
          hired,
          contact.phone.slice(4),
          `${contact.phone.replaceAll(" ", "").slice(3)}`,
        ]);
        for (
          const each of [
            ...own,
            "acme.test",
            "Lindenweg",
            "Berlin",
            "10969",
            "sailing",
            "Bearer",
            KEY,
            KEY.slice(0, 8),
            "cookie",
          ]
        ) {
          const [plain, escaped] = [each, encodeURIComponent(each)].map((part) => part.toLowerCase());
          assert.ok(
            !text.toLowerCase().includes(plain!) && !text.toLowerCase().includes(escaped!),
            `${each} in ${text}`,
          );
        }
        const { exchanges } = tape(file);
        const pages = exchanges.filter(({ request }) => request.url.includes("/people?"))
          .flatMap(({ answer }) => JSON.parse(answer.body as string).people);
        assert.equal(pages.length, PEOPLE.length);
        assert.deepEqual(
          pages.map(({ bossId }) => bossId),
          [null, ...Array(6).fill(pages[0].personId)],
          "managers are joined",
        );
        const { status } = pages[0];
        assert.deepEqual(
          pages.map((each) => each.status),
          [...Array(6).fill(status), "left"],
          "what the code asks for is kept",
        );
        assert.notEqual(status, "active");
        const table = exchanges.find(({ request }) => request.url.includes("/teams"))!;
        assert.equal(new URL(table.request.url).searchParams.get("of"), pages[0].contact.mail);
        for (const { contact } of pages) assert.ok((table.answer.body as string).includes(`\n${contact.mail};`));

        const laws: [string, () => Promise<void>][] = [], skipped = { skip: () => {} };
        const cases = {
          settings: { host },
          secrets: { key: "any key of the test" },
          source: tape(file),
          optional: (url: string) => url.endsWith("/photo"),
        };
        testConnector(module, cases, { test: (name, hold) => laws.push([name, () => hold(skipped)]) });
        const few = /it gives the same again|a check finds|what it expects/;
        const tried = laws.filter(([name]) => rounds(1, 0) === 1 || few.test(name));
        assert.ok(tried.length >= 3);
        for (const [name, hold] of tried) {
          await hold().catch((error) => assert.fail(`${name}: ${error.message}`));
        }
      })
    ),
);

test(
  "no tape is written of a source that cannot be read, or whose people depend on a value that is replaced",
  { skip: onlyInCheck },
  () =>
    withTerminal((terminal) =>
      withSource(async (host) => {
        const hidden = CONNECTOR.replace('status !== "left"', 'status.startsWith("act")');
        const replaced = await record(terminal, host, hidden);
        assert.equal(replaced.code, 2);
        assert.match(replaced.err, /with all values replaced it gives/);
        const refused = await record(terminal, host, CONNECTOR.replace("/people?size=3", "/other"));
        assert.equal(refused.code, 2);
        assert.match(refused.err, /cannot be read to its end: .*404/);
        assert.throws(() => tape(join(terminal.dir, "acme", "tapes", "acme-people.json")), /ENOENT|No such file/);
      })
    ),
);
