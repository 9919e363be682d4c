/** Of an answer, what its connector's own code names is kept, and nothing else. */
import assert from "node:assert/strict";
import test from "node:test";
import { createFakes } from "../../../src/kit/record/fakes.ts";
import { createReplacer } from "../../../src/kit/record/replace.ts";
import { wordsIn } from "../../../src/kit/record/words.ts";

const CODE = `
// src/ana.ts
const { people, total, next, status, workEmail, kind, nextPage } = await answer.json();
if (status === "left" || kind === 7) skip("x-cursor", 'it is "so"');
fetch(\`https://api.example.com/v1/people?page=\${page}\`);
`;

/** Words that are replaced below: no invented one has them in it. */
const REAL: ReadonlySet<string> = new Set(["ana", "sol", "acme", "user", "said", "43", "10017"]);

function replacerOf() {
  return createReplacer({
    fakes: createFakes({ real: REAL, readAt: Date.now(), playedAt: Date.now() }),
    words: wordsIn(CODE),
    mapping: { workEmail: "email", "Given name": "first_name", "Employee status": "employment_status" },
    settings: ["customTitle"],
    hosts: ["api.example.com"],
  });
}

const json = (value: unknown) => JSON.parse(replacerOf().body(JSON.stringify(value), "application/json"));

test("names and values that the code has are kept, but no value that tells who somebody is", () => {
  const { people: [made] } = json({
    people: [{ workEmail: "left", status: "left", kind: 7, customTitle: "Lead", nickname: "left", salary: 7 }],
  });
  assert.deepEqual(Object.keys(made).slice(0, 4), ["workEmail", "status", "kind", "customTitle"]);
  assert.deepEqual([made.status, made.kind], ["left", 7]);
  assert.ok(
    !["left", 7, "Lead"].some((value) =>
      [made.workEmail, made.customTitle, ...Object.values(made).slice(4)].includes(value)
    ),
  );
});

test("comments of the code name nothing, and its texts are whole", () => {
  const { names, texts, numbers } = wordsIn(CODE);
  assert.ok(!names.has("ana") && names.has("people"));
  assert.deepEqual([...texts], ["left", "x-cursor", 'it is "so"']);
  assert.deepEqual([...numbers], ["7"]);
});

test("people as names of objects, in nested texts and in lists are replaced, and joined as before", () => {
  const made = json({
    people: { "E-10017": { boss: 10018, deep: '{"who":"Ana Sol"}' } },
    all: ["Ana", ["Sol", 10018, "10018"]],
  });
  const [[id, person]] = Object.entries(made.people) as [[string, Record<string, unknown>]];
  assert.match(id, /^\p{Lu}\w+-\d{5}$/u);
  const list = Object.values(made)[1] as [string, [string, number, string]];
  const [boss, deep] = Object.values(person);
  assert.equal(boss, list[1][1]);
  assert.equal(String(boss), list[1][2]);
  assert.deepEqual(Object.values(JSON.parse(deep as string)), [`${list[0]} ${list[1][0]}`]);
});

test("counts of pages are kept, and no number of a person that is used as one", () => {
  const replacer = replacerOf();
  const body = JSON.stringify({ total: 57, nextPage: 2, next: 10017, people: [{ id: 10017, age: 43 }] });
  replacer.note(body);
  const made = JSON.parse(replacer.body(body, null));
  assert.deepEqual([made.total, made.nextPage], [57, 2]);
  assert.notEqual(made.next, 10017);
  const [id, age] = Object.values(made.people[0]);
  assert.equal(id, made.next);
  assert.ok(!["10017", "43"].includes(String(id)) && String(age) !== "43");
});

test("addresses keep host, known paths and pages, and lose everything else", () => {
  const { url } = replacerOf();
  assert.match(url("https://api.example.com/v1/people?page=2"), /^https:\/\/api\.example\.com\/v1\/people\?page=2$/);
  const made = url("https://ana:pass@ana.acme.test/people/Ana%20Sol?mail=ana%40acme.test#ana");
  assert.match(made, /^https:\/\/www\.example\.com\/people\/[A-Z]\w+%20[A-Z]\w+\?\w+=\w+\.\w+%40example\.com$/);
});

test("a table keeps its form: marks, quotes, lines and the columns that are known", () => {
  const made = replacerOf().body(
    '\ufeffworkEmail;"Given name";Note\r\nana@acme.test;Ana;"Said ""hi""\nto; Bo"\r\n',
    "text/csv",
  );
  assert.match(made, /^workEmail;"Given name";\w+\r\n[\w.]+@example\.com;\w+;"\w+ ""\w+""\n\w+; \w+"\r\n$/);
  assert.ok(!/ana|Said|Bo\b/.test(made));
});

test("of headers only what the code names is kept, and no credentials", () => {
  const { headers } = replacerOf();
  const made = headers(
    new Headers({
      "content-type": 'text/csv; charset=windows-1252; name="ana.csv"',
      link: '<https://api.example.com/people?page=3>; rel="next"; title="Ana"',
      "x-cursor": "ana",
      "x-request-for": "ana",
      "set-cookie": "ana=1",
    }),
  );
  assert.deepEqual([...made.keys()], ["content-type", "link", "x-cursor"]);
  assert.equal(made.get("content-type"), "text/csv; charset=utf-8");
  assert.equal(made.get("link"), '<https://api.example.com/people?page=3>; rel="next"');
  assert.notEqual(made.get("x-cursor"), "ana");
});

test("a body that is neither JSON nor a table is replaced word by word", () => {
  const made = replacerOf().body("<p>No such user: ana@acme.test (Ana Sol)</p>", "text/html");
  assert.match(made, /^<\w+>\w+ \w+ \w+: [\w.]+@example\.com \(\w+ \w+\)<\/\w+>$/);
  assert.ok(!/ana|Sol|user/i.test(made));
});
