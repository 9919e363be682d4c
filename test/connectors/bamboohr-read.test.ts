/** Reading BambooHR by each of its ways, undisturbed, disturbed, and with every unknown of it tried both ways. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SourceFault } from "../../src/connector.ts";
import { hire, hireCrowd } from "../support/bamboohr/company.ts";
import type { Mishap } from "../support/bamboohr/faults.ts";
import { checkFake, readFake, type ReadOptions } from "../support/bamboohr/read.ts";
import { type BambooHR, startBambooHR } from "../support/bamboohr/server.ts";

const SOURCES = ["employees", "report", "dataset"] as const;

async function withFake(work: (fake: BambooHR) => Promise<void>): Promise<void> {
  const fake = await startBambooHR();
  try {
    await work(fake);
  } finally {
    await fake.close();
  }
}

/** A bit of everything that accounts have. */
function populate({ company }: BambooHR, crowd = 30): void {
  hireCrowd(company, crowd);
  company.customFields.set("customShirt", { id: "4711.1", name: "Shirt size" });
  hire(company, 201, { employeeNumber: null, workEmail: null, custom: { customShirt: "M" } });
  hire(company, 202, { terminationDate: "2025-10-31", reportsTo: 1 });
  hire(company, 203, { terminationDate: "2026-09-30", reportsTo: 1 });
  hire(company, 204, { status: "", preferredName: " Bo " });
  hire(company, 205, {
    hireDate: "2024-02-01",
    originalHireDate: "2019-02-01",
    terminationDate: "2023-05-31",
    status: "Active",
  });
}

/** People as read, in one form for all three sources. */
async function peopleFrom(fake: BambooHR, options: ReadOptions = {}): Promise<Record<string, unknown>[]> {
  const { records, error } = await readFake(fake, options);
  if (error !== null) throw error;
  return records.map((record) =>
    Object.fromEntries(
      Object.entries(record).map(([name, value]) => {
        const text = value === null || value === "0000-00-00" ? "" : String(value).trim();
        return [name, text];
      }),
    )
  );
}

test("all three ways read the same of everybody", () =>
  withFake(async (fake) => {
    populate(fake);
    const [list, report, dataset] = await Promise.all(SOURCES.map((source) => peopleFrom(fake, { source })));
    assert.equal(list!.length, 35);
    assert.deepEqual(report, list);
    assert.deepEqual(dataset, list);
    assert.deepEqual(list!.find(({ id }) => id === "203"), {
      id: "203",
      status: "Active",
      employeeNumber: "303",
      workEmail: "p203@acme.test",
      firstName: "First203",
      lastName: "Last203",
      preferredName: "",
      jobTitle: "Clerk",
      department: "Operations",
      supervisorEId: "1",
      workPhone: "",
      city: "Lindon",
      hireDate: "2020-01-06",
      terminationDate: "2026-09-30",
      employmentHistoryStatus: "Full-Time",
    });
  }));

test("the list is taken where it has all that is mapped, else a report", () =>
  withFake(async (fake) => {
    populate(fake);
    const ways = async (options: ReadOptions = {}) => {
      fake.requests.length = 0;
      await peopleFrom(fake, options);
      return [...new Set(fake.requests)];
    };
    assert.deepEqual(await ways(), ["GET /employees"]);
    assert.deepEqual(await ways({ mapping: { customShirt: "shirt" } }), ["POST /reports/custom"]);
    assert.deepEqual(await ways({ mapping: { supervisorId: "manager_id" } }), ["POST /reports/custom"]);
    fake.company.switches.listEdition = "2026-04";
    assert.deepEqual(await ways(), ["GET /employees", "POST /reports/custom"]);
  }));

test("a custom field comes with the report and the dataset", () =>
  withFake(async (fake) => {
    populate(fake);
    for (const source of ["report", "dataset"] as const) {
      const all = await peopleFrom(fake, { source, mapping: { customShirt: "shirt" } });
      assert.equal(all.find(({ id }) => id === "201")!.customShirt, "M", source);
    }
  }));

test("of an account of several pages everybody is read once, those who left too, however the list has them", () =>
  withFake(async (fake) => {
    hireCrowd(fake.company, 2_600);
    for (let id = 1; id <= 2_600; id += 13) fake.company.employees.get(id)!.terminationDate = "2025-12-31";
    const all = await peopleFrom(fake, { source: "employees" });
    fake.company.switches.listScope = "active";
    assert.deepEqual(await peopleFrom(fake, { source: "employees" }), all);
    assert.equal(all.length, 2_600);
    assert.equal(all.filter(({ status }) => status === "Inactive").length, 200);
    assert.equal((await peopleFrom(fake, { source: "dataset" })).length, 2_600);
  }));

test("whatever is unknown of the real one, the same is read", () =>
  withFake(async (fake) => {
    populate(fake);
    const { switches } = fake.company;
    const usual = { ...switches };
    const expected = await peopleFrom(fake, { source: "report" });
    const others: Partial<typeof switches>[] = [
      { listScope: "active" },
      { listEmptyDate: "" },
      { listEmptyDate: "0000-00-00" },
      { listEmptyText: "" },
      { listOnGateway: false },
      { datasetEmptyDate: "" },
      { datasetEmptyDate: "0000-00-00" },
      { datasetRestricted: "empty" },
      { changedEmpty: "object" },
      { effectiveBumps: true },
      { quota: 3, quotaStatus: 429, quotaRetryAfter: "0" },
      { quota: 3, quotaStatus: 503, quotaRetryAfter: null },
    ];
    for (const other of others) {
      Object.assign(switches, usual, other);
      for (const source of SOURCES) {
        fake.refill();
        assert.deepEqual(await peopleFrom(fake, { source }), expected, `${source} with ${JSON.stringify(other)}`);
      }
    }
  }));

test("of people before their first day the report has what is entered for it", () =>
  withFake(async (fake) => {
    populate(fake);
    hire(fake.company, 301, { hireDate: "2026-04-01", jobTitle: "Pilot", department: "Air", reportsTo: 1 });
    const future = (await peopleFrom(fake, { source: "report" })).find(({ id }) => id === "301")!;
    const { jobTitle, department, supervisorEId, employmentHistoryStatus, status } = future;
    assert.deepEqual(
      { jobTitle, department, supervisorEId, employmentHistoryStatus, status },
      {
        jobTitle: "Pilot",
        department: "Air",
        supervisorEId: "1",
        employmentHistoryStatus: "Full-Time",
        status: "Active",
      },
    );
    // People who are going to leave are still here: future values are only read for people before their first day.
    assert.equal((await peopleFrom(fake, { source: "report" })).find(({ id }) => id === "203")!.status, "Active");
    const listed = (await peopleFrom(fake, { source: "employees" })).find(({ id }) => id === "301")!;
    assert.deepEqual([listed.jobTitle, listed.supervisorEId], ["", ""]);
    fake.company.switches.listPreHires = false;
    assert.equal((await peopleFrom(fake, { source: "employees" })).find(({ id }) => id === "301"), undefined);
  }));

test("a field of which nothing is shown is absent, not empty, and the run says so", () =>
  withFake(async (fake) => {
    populate(fake);
    fake.access.hidden.add("jobTitle");
    for (const source of SOURCES) {
      for (const datasetRestricted of ["error", "empty"] as const) {
        fake.company.switches.datasetRestricted = datasetRestricted;
        const { records, warnings, error } = await readFake(fake, { source });
        assert.equal(error, null);
        assert.ok(records.every((record) => !("jobTitle" in record)), source);
        assert.deepEqual(warnings.map(({ code, field }) => [code, field]), [["field_restricted", "title"]], source);
        assert.match(warnings[0]!.message, /"jobTitle" of anybody: "title" is left as it is/);
      }
    }
  }));

test("a field that is withheld of some is left alone for those", () =>
  withFake(async (fake) => {
    populate(fake);
    fake.access.hides = (field, { id }) => field === "city" && id <= 10;
    for (const source of ["employees", "dataset"] as const) {
      fake.company.switches.datasetRestricted = "empty";
      const { records, warnings } = await readFake(fake, { source });
      assert.deepEqual(records.map((record) => "city" in record), records.map(({ id }) => Number(id) > 10), source);
      assert.match(warnings[0]!.message, /"city" of 10 of 35 people/);
    }
  }));

test("without what says who or whether, nothing is read at all", () =>
  withFake(async (fake) => {
    populate(fake);
    for (const field of ["workEmail", "status"]) {
      fake.access.hidden.clear();
      fake.access.hidden.add(field);
      for (const source of SOURCES) {
        const { records, error } = await readFake(fake, { source });
        assert.deepEqual([records.length, (error as SourceFault)?.kind], [0, "credentials"], `${source} ${field}`);
        assert.match(error!.message, new RegExp(`nobody's "${field}"`));
      }
    }
    fake.access.hidden.clear();
    fake.access.hidden.add("employmentHistoryStatus");
    assert.equal((await readFake(fake)).error, null);
    const filtered = await readFake(fake, { onlyStatuses: ["Full-Time"] });
    assert.equal((filtered.error as SourceFault).kind, "credentials");
  }));

test("nobody at all is a failure", () =>
  withFake(async (fake) => {
    for (const source of SOURCES) {
      const { error } = await readFake(fake, { source });
      assert.equal((error as SourceFault).kind, "credentials");
      assert.match(error!.message, /no employees at all/);
    }
  }));

test("a key that is none is refused in BambooHR's own words, and asked for no more than it must", () =>
  withFake(async (fake) => {
    populate(fake);
    const { error, pauses } = await readFake(fake, { key: "0".repeat(40) });
    assert.equal((error as SourceFault).kind, "credentials");
    assert.match(error!.message, /API key not provided or invalid/);
    assert.deepEqual([fake.requests, pauses], [["GET /employees", "POST /reports/custom"], []]);
  }));

test("a page instead of data is a wrong subdomain, and a redirect is not followed", () =>
  withFake(async (fake) => {
    populate(fake);
    for (const mishap of [{ kind: "page" }, { kind: "redirect", to: "https://evil.example.com/" }] as const) {
      for (const source of SOURCES) {
        fake.faults.add({ mishap });
        const { error } = await readFake(fake, { source });
        assert.equal((error as SourceFault).kind, "settings", `${mishap.kind} ${source}`);
      }
    }
  }));

test("a cursor that goes bad starts the reading over, and one that always does ends it", () =>
  withFake(async (fake) => {
    hireCrowd(fake.company, 2_600);
    // Whom the cursor of the second page points at.
    const leave = () => fake.company.employees.delete(2_501) || fake.company.employees.delete(2_502);
    fake.faults.add({ on: /^GET .employees/, skip: 1, mishap: { kind: "then", work: leave } });
    const { records, restarts, error } = await readFake(fake, { source: "employees" });
    assert.deepEqual([records.length, restarts, error], [2_599, 1, null]);
    // From now on, the first person of the next page leaves while that page is requested.
    const flee = () => void fake.company.employees.delete([...fake.company.employees.keys()][2_500]!);
    fake.faults.add({ on: /employees/, times: 100, mishap: { kind: "then", work: flee } });
    const spoilt = await readFake(fake, { source: "employees" });
    assert.equal((spoilt.error as SourceFault)?.kind, "connection");
    assert.match(spoilt.error!.message, /times in a row/);
  }));

test("numbered pages that moved while they were read are read anew", () =>
  withFake(async (fake) => {
    hireCrowd(fake.company, 2_500);
    const work = () => void fake.company.employees.delete(3);
    fake.faults.add({ on: /dataset/, skip: 1, mishap: { kind: "then", work } });
    const { records, restarts, error } = await readFake(fake, { source: "dataset" });
    assert.deepEqual([records.length, restarts, error], [2_499, 1, null]);
  }));

test("a limit's Retry-After is waited for, in seconds and as a date", () =>
  withFake(async (fake) => {
    populate(fake);
    const inTwenty = new Date(Date.now() + 20_000).toUTCString();
    fake.faults.add(
      { mishap: { kind: "status", status: 429, retryAfter: "7" } },
      { mishap: { kind: "status", status: 503, retryAfter: inTwenty } },
      { mishap: { kind: "status", status: 503 } },
    );
    const { pauses, records } = await readFake(fake, { source: "report" });
    assert.equal(records.length, 35);
    assert.equal(pauses[0], 7_000);
    assert.ok(pauses[1]! > 17_000 && pauses[1]! <= 20_000, `${pauses[1]}`);
    assert.equal(pauses.length, 3);
  }));

const MISHAPS: fc.Arbitrary<Mishap> = fc.oneof(
  fc.constantFrom<Mishap>(
    { kind: "status", status: 429, retryAfter: "0" },
    { kind: "status", status: 429 },
    { kind: "status", status: 503 },
    { kind: "status", status: 503, retryAfter: "1" },
    { kind: "status", status: 500 },
    { kind: "status", status: 502 },
    { kind: "status", status: 504 },
    { kind: "status", status: 408 },
    { kind: "drop" },
    { kind: "slow", ms: 1 },
  ),
  fc.record({ kind: fc.constantFrom("cut" as const, "short" as const), bytes: fc.integer({ min: 0, max: 9_000 }) }),
);

for (const source of SOURCES) {
  test(`${source}: disturbed in any order and place, the same is read as undisturbed`, () =>
    withFake(async (fake) => {
      populate(fake, 20);
      const expected = await peopleFrom(fake, { source });
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ skip: fc.nat(2), mishap: MISHAPS }), { minLength: 1, maxLength: 4 }),
          async (rules) => {
            fake.faults.clear();
            fake.faults.add(...rules);
            assert.deepEqual(await peopleFrom(fake, { source }), expected);
          },
        ),
        { numRuns: 25 },
      );
    }));
}

for (const [source, people, pages] of [["employees", 5_100, 3], ["dataset", 2_100, 3]] as const) {
  test(`${source}: disturbed on any of several pages, everybody is read once`, () =>
    withFake(async (fake) => {
      hireCrowd(fake.company, people);
      const on = source === "employees" ? /GET \/employees$/ : /dataset/;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.record({ skip: fc.nat(pages), mishap: MISHAPS, on: fc.constant(on) }), {
            minLength: 1,
            maxLength: 4,
          }),
          async (rules) => {
            fake.faults.clear();
            fake.faults.add(...rules);
            const { records, error } = await readFake(fake, { source });
            assert.equal(error, null);
            assert.equal(new Set(records.map(({ id }) => String(id))).size, people);
            assert.equal(records.length, people);
          },
        ),
        { numRuns: 12 },
      );
    }));
}

test("a long report that breaks off is read anew from its beginning", () =>
  withFake(async (fake) => {
    hireCrowd(fake.company, 30_000);
    fake.faults.add({ on: /reports/, mishap: { kind: "cut", bytes: 9 * 1024 * 1024 } });
    const { records, restarts, error, largestPage } = await readFake(fake, { source: "report" });
    assert.deepEqual([records.length, restarts, error], [30_000, 1, null]);
    // However many there are, no more than these are ever held.
    assert.equal(largestPage, 500);
  }));

test("the check says who is there, what there is to choose from, and what is missing at which cost", () =>
  withFake(async (fake) => {
    populate(fake);
    for (const source of ["auto", ...SOURCES] as const) {
      const { ok, detail, found } = await checkFake(fake, { source });
      assert.equal(ok, true);
      assert.match(detail, /35 employees, 33 of them active/, source);
      assert.deepEqual(found.statuses, ["Contractor", "Full-Time", "Furloughed", "Intern", "Part-Time", "Terminated"]);
      assert.deepEqual([found.employees, found.active, found.missing], [35, 33, []]);
    }
    fake.access.hidden.add("jobTitle");
    fake.access.hidden.add("workEmail");
    fake.company.statuses[0]!.archived = true;
    const { ok, detail, found } = await checkFake(fake, { onlyStatuses: ["Contractor", "Full-Time"] });
    assert.equal(ok, false);
    assert.match(detail, /does not show "workEmail", without which nobody new can be added/);
    assert.match(detail, /no employment status "Contractor"/);
    assert.deepEqual(found.missing, [
      {
        field: "workEmail",
        fills: "email",
        of: "everybody",
        costs: "nobody new can be added, where an email is required",
      },
      { field: "jobTitle", fills: "title", of: "everybody", costs: '"title" is left as it is' },
    ]);
    fake.access.sees = () => false;
    assert.match((await checkFake(fake)).detail, /shows no employees/);
    await assert.rejects(checkFake(fake, { key: "0".repeat(40) }), /API key not provided or invalid/);
  }));
