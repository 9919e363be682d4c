/** The fake BambooHR against what is known of the real one: what else is shown with it is worth as much as this. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hire, hireCrowd } from "../support/bamboohr/company.ts";
import { type BambooHR, lookAt, startBambooHR } from "../support/bamboohr/server.ts";
import { signWebhook } from "../support/bamboohr/webhooks.ts";

async function withFake(work: (fake: BambooHR) => Promise<void>): Promise<void> {
  const fake = await startBambooHR();
  try {
    await work(fake);
  } finally {
    await fake.close();
  }
}

// deno-lint-ignore no-explicit-any
async function json(fake: BambooHR, path: string, init?: RequestInit): Promise<any> {
  const answer = await lookAt(fake, path, init);
  return { status: answer.status, headers: answer.headers, body: JSON.parse(await answer.text() || "null") };
}

function report(fake: BambooHR, fields: readonly string[], query = "format=json", more: object = {}) {
  return json(fake, `/v1/reports/custom?${query}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ title: "t", fields, ...more }),
  });
}

test("a wrong key gets an empty page, and the reason in a header of two spellings", () =>
  withFake(async (fake) => {
    const answer = await lookAt(fake, "/v1/employees/0", { headers: { authorization: "Basic eDp4" } });
    assert.deepEqual([answer.status, await answer.text()], [401, ""]);
    assert.equal(answer.headers.get("x-bamboohr-error-message"), "API key not provided or invalid");
    assert.equal(answer.headers.get("x-bamboohr-error-messsage"), "API key not provided or invalid");
    assert.match(answer.headers.get("content-type")!, /^text\/html/);
    assert.match(answer.headers.get("www-authenticate")!, /realm="https:\/\/api\.bamboohr\.com\/acme"/);
    assert.equal((await lookAt(fake, "/gateway.php/acme/v1/employees/0")).status, 200);
    assert.equal((await lookAt(fake, "/gateway.php/other/v1/employees/0")).status, 404);
  }));

test("a client that does not ask for JSON gets XML", () =>
  withFake(async (fake) => {
    hire(fake.company, 4);
    for (
      const path of ["/v1/meta/fields", "/v1/employees/directory", "/v1/employees/4", "/v1/employees/4/tables/jobInfo"]
    ) {
      const answer = await lookAt(fake, path, { headers: { accept: "*/*" } });
      assert.deepEqual([answer.headers.get("content-type"), (await answer.text()).slice(0, 5)], ["text/xml", "<?xml"]);
    }
  }));

test("a report needs the exact type, leaves out what is unknown or hidden, and has its own kinds of nothing", () =>
  withFake(async (fake) => {
    hire(fake.company, 9, { employeeNumber: "6", firstName: "Jo", lastName: "Caldwell" });
    hire(fake.company, 4, { reportsTo: 9 });
    hire(fake.company, 114, { hireDate: "2026-06-22", employeeNumber: null, reportsTo: 9, workEmail: null });
    fake.access.hidden.add("city");
    const { status, body } = await report(fake, [
      "employeeNumber",
      "supervisor",
      "supervisorId",
      "supervisorEId",
      "city",
      "nonsense",
      "terminationDate",
      "state",
      "payRate",
      "bestEmail",
      "jobTitle",
      "employmentHistoryStatus",
    ]);
    assert.equal(status, 200);
    assert.deepEqual(body.fields.map(({ id }: { id: string }) => id).includes("city"), false);
    assert.deepEqual(body.employees[1], {
      id: "4",
      employeeNumber: "104",
      supervisor: "Caldwell, Jo",
      supervisorId: "6",
      supervisorEId: "9",
      terminationDate: "0000-00-00",
      state: "",
      payRate: " USD",
      bestEmail: "p4@acme.test",
      jobTitle: "Clerk",
      employmentHistoryStatus: "Full-Time",
    });
    const future = body.employees[2];
    assert.deepEqual([future.jobTitle, future.supervisorId, future.employmentHistoryStatus], [null, null, null]);
    assert.equal(future.bestEmail, "home114@example.com");
    const later = await report(fake, ["jobTitle", "employmentHistoryStatus"], "format=JSON&onlyCurrent=false", {
      filters: { employeeIds: [114] },
    });
    assert.deepEqual(later.body.employees, [{ id: "114", jobTitle: "Clerk", employmentHistoryStatus: "Full-Time" }]);
    const charset = await lookAt(fake, "/v1/reports/custom?format=json", {
      method: "POST",
      headers: { "content-type": "application/json; charset=UTF-8" },
      body: "{}",
    });
    assert.deepEqual([charset.status, charset.headers.get("x-bamboohr-error-message")], [400, "Malformed XML"]);
    assert.equal((await report(fake, new Array(401).fill("city"))).status, 400);
    const init = { method: "POST", headers: { accept: "*/*", "content-type": "application/json" }, body: "{}" };
    assert.equal((await lookAt(fake, "/v1/reports/custom", init)).status, 404);
    assert.equal((await lookAt(fake, "/v1/reports/custom?format=bogus", init)).status, 404);
  }));

test("someone who will leave is Inactive already in a report of what is to come", () =>
  withFake(async (fake) => {
    hire(fake.company, 4, { terminationDate: "2026-03-20" });
    const status = async (query: string) => (await report(fake, ["status"], query)).body.employees[0].status;
    assert.equal(await status("format=json"), "Active");
    assert.equal(await status("format=json&onlyCurrent=false"), "Inactive");
  }));

test("the list pages by cursors, which go bad with the person that they point at", () =>
  withFake(async (fake) => {
    hireCrowd(fake.company, 10);
    const first = await json(fake, "/v1/employees?page[limit]=4&fields=workEmail,nonsense");
    assert.deepEqual(first.body.data.map(({ employeeId }: { employeeId: string }) => employeeId), ["1", "2", "3", "4"]);
    assert.equal(first.body.data[0].workEmail, "p1@acme.test");
    assert.deepEqual([first.body.meta.total, first.body._links.prev], [10, undefined]);
    const { nextCursor } = first.body.meta.page;
    assert.equal(atob(nextCursor), '{"nextEmployee":5}');
    const second = await json(fake, `/v1/employees?page[limit]=4&page[after]=${encodeURIComponent(nextCursor)}`);
    assert.equal(second.body.data[0].employeeId, "5");
    fake.company.employees.delete(5);
    const bad = await json(fake, `/v1/employees?page[limit]=4&page[after]=${encodeURIComponent(nextCursor)}`);
    assert.deepEqual([bad.status, bad.body.error.code], [400, "BadPage"]);
    assert.equal((await json(fake, "/v1/employees?page[before]=x")).body.error.code, "BadPage");
  }));

test("the list says what was restricted, filters by parts of texts, and drops whom a filter may not be asked of", () =>
  withFake(async (fake) => {
    hire(fake.company, 1, { employmentStatus: "Contractor" });
    hire(fake.company, 2, { employmentStatus: "Contract - EU" });
    hire(fake.company, 3);
    fake.access.hides = (field, { id }) => field === "workEmail" && id === 2;
    const { body } = await json(fake, "/v1/employees?fields=workEmail&filter[employmentStatusName]=contract");
    assert.deepEqual(body.data.map((row: Record<string, unknown>) => [row.workEmail, row._restrictedFields]), [
      ["p1@acme.test", []],
      [null, ["workEmail"]],
    ]);
    const asked = await json(fake, "/v1/employees?filter[workEmail]=acme");
    assert.equal(asked.body.meta.total, 2);
    assert.equal((await json(fake, "/v1/employees?filter[ssn]=1")).status, 422);
    assert.equal((await json(fake, "/v1/employees?filter[status]=Active")).status, 400);
    fake.company.switches.listEdition = "2026-04";
    assert.equal((await lookAt(fake, "/v1/employees")).status, 401);
  }));

test("a dataset pages by number, has a list for an empty map, and its own errors", () =>
  withFake(async (fake) => {
    hireCrowd(fake.company, 5);
    hire(fake.company, 90, { hireDate: "2026-07-01" });
    const ask = (body: object) =>
      json(fake, "/v2/datasets/employee/data", { method: "POST", body: JSON.stringify(body) });
    const whole = await ask({ fields: ["eeid", "status"], orderBy: "eeid asc" });
    assert.deepEqual(whole.body.links, []);
    assert.deepEqual(whole.body.data.at(-1).fields, { eeid: 90, status: "Inactive" });
    const paged = await ask({ fields: ["eeid"], orderBy: "eeid asc", page: 2, pageSize: 2 });
    assert.deepEqual(paged.body.data.map(({ fields }: { fields: object }) => fields), [{ eeid: 3 }, { eeid: 4 }]);
    assert.deepEqual(Object.keys(paged.body.links), ["next", "prev"]);
    const unordered = await ask({ fields: ["status"], orderBy: "eeid asc" });
    assert.deepEqual([unordered.status, unordered.body.code], [400, "UE-1001"]);
    assert.equal(unordered.headers.get("content-type"), "application/problem+json");
    assert.equal((await ask({ fields: ["employee_x"] })).body.detail, "Invalid field name: employee_employee_x");
    assert.equal((await ask({ fields: ["eeid"], filter: "eeid eq '1' and eeid eq '2' or eeid eq '3'" })).status, 422);
    const some = await ask({ fields: ["eeid"], filter: "status in ('Inactive')" });
    assert.deepEqual(some.body.data, [{ fields: { eeid: 90 } }]);
  }));

test("the directory can be off, empty, or without those who are hidden from it", () =>
  withFake(async (fake) => {
    hire(fake.company, 1);
    hire(fake.company, 2, { inDirectory: false });
    hire(fake.company, 3, { terminationDate: "2025-01-01" });
    assert.equal((await json(fake, "/v1/employees/directory")).body.employees.length, 1);
    fake.company.switches.directory = "off";
    const off = await lookAt(fake, "/v1/employees/directory");
    assert.deepEqual([off.status, off.headers.get("x-bamboohr-error-message")], [
      403,
      "Directory disabled for this account",
    ]);
    fake.company.switches.directory = "empty";
    assert.equal((await lookAt(fake, "/v1/employees/directory")).status, 404);
  }));

test("an employee, changes, users and lists are as recorded", () =>
  withFake(async (fake) => {
    hire(fake.company, 8);
    hire(fake.company, 9, { lastChanged: "2026-02-20T10:00:00+00:00" });
    assert.deepEqual((await json(fake, "/v1/employees/0")).body, { id: "8" });
    fake.access.employeeId = 0;
    assert.deepEqual((await json(fake, "/v1/employees/0")).body, { id: "0" });
    const unknown = await lookAt(fake, "/v1/employees/777");
    assert.deepEqual([unknown.status, unknown.headers.get("x-bamboohr-error-message")], [
      404,
      "Employee not found, Employee not found",
    ]);
    fake.access.sees = ({ id }) => id !== 8;
    assert.equal((await lookAt(fake, "/v1/employees/8")).status, 403);
    const changed = await json(fake, "/v1/employees/changed?since=2026-02-01T00:00:00Z");
    assert.deepEqual(changed.body, {
      latest: "2026-02-20T10:00:00+00:00",
      employees: { 9: { id: "9", action: "Updated", lastChanged: "2026-02-20T10:00:00+00:00" } },
    });
    assert.deepEqual((await json(fake, "/v1/employees/changed?since=2026-03-01T00:00:00Z")).body.employees, []);
    fake.company.switches.effectiveBumps = true;
    hire(fake.company, 10, { hireDate: "2026-03-02" });
    const bumped = await json(fake, "/v1/employees/changed?since=2026-03-01T00:00:00Z");
    assert.deepEqual(Object.keys(bumped.body.employees), ["10"]);
    const lists = (await json(fake, "/v1/meta/lists")).body;
    const statuses = lists.find(({ alias }: { alias: string }) => alias === "employmentHistoryStatus");
    assert.equal(statuses.fieldId, 16);
    const fields = (await json(fake, "/v1/meta/fields")).body;
    assert.ok(
      fields.some(({ id }: { id: unknown }) => id === "4340.4") && fields.some(({ id }: { id: unknown }) => id === 15),
    );
    assert.equal((await json(fake, "/v1/meta/users")).body["2009"].employeeId, 9);
  }));

test("limits are reported as 429 or, as before, 503, and a webhook's log says 200", () =>
  withFake(async (fake) => {
    Object.assign(fake.company.switches, { quota: 1, quotaRetryAfter: "7" });
    assert.equal((await lookAt(fake, "/v1/meta/lists")).status, 200);
    const limited = await lookAt(fake, "/v1/meta/lists");
    assert.deepEqual([limited.status, limited.headers.get("retry-after")], [429, "7"]);
    Object.assign(fake.company.switches, { quotaStatus: 503, quotaRetryAfter: null });
    const legacy = await lookAt(fake, "/v1/meta/lists");
    assert.deepEqual([legacy.status, legacy.headers.get("retry-after")], [503, null]);
    fake.company.switches.quota = null;
    const made = await json(fake, "/v1/webhooks", {
      method: "POST",
      body: JSON.stringify({ url: "https://hub.example.com/x", format: "json", monitorFields: ["workEmail"] }),
    });
    assert.match(made.body.privateKey, /^[0-9a-f]{32}$/);
    const log = await json(fake, `/v1/webhooks/${made.body.id}/log`);
    assert.deepEqual([log.status, log.body.error.code], [200, 429]);
    const plain = await json(fake, "/v1/webhooks", { method: "POST", body: JSON.stringify({ url: "http://x.test" }) });
    assert.equal(plain.status, 400);
  }));

test("a webhook is signed over its body and then its time", () => {
  assert.equal(
    signWebhook("0123456789abcdef0123456789abcdef", '{"type":"employee.updated"}', "1760000000"),
    "adce41ed6cc6acf6fcbc72d967e50a5781f1bf8b32d478dd80120ac475c59eaf",
  );
});
