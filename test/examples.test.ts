/** The files that people are given to try do what examples/README.md says of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { connectors } from "../connectors/index.ts";
import type { Connector } from "../src/connector.ts";
import { runNext } from "../src/runs/next.ts";
import { type Ask, createAsk, createTestHub, createTestToken, type TestHub } from "./support/hub.ts";

const REGISTRY = new Map(connectors.map((connector) => [connector.name, connector as Connector<never>]));

interface IssueView {
  line: number | null;
  severity: string;
  code: string;
  field: string | null;
  value: string | null;
  message: string;
  suggestion: string;
}

/** What the report of mistakes.csv says of each line: severity, code, field and suggestion. */
const REPORTED: readonly [number | null, string, string, string | null, string][] = [
  [null, "warning", "header_unknown", null, 'Rename it to "location"'],
  [3, "error", "email_invalid", "email", "Add the domain"],
  [4, "error", "required_field_missing", "last_name", "Fill in last_name"],
  [5, "error", "duplicate_in_input", "employee_id", "Keep one of the rows"],
  [6, "error", "duplicate_in_input", "employee_id", "Keep one of the rows"],
  [7, "warning", "too_long", "title", "Shorten it to 254 characters"],
  [8, "warning", "date_invalid", "hire_date", "Write the date as YYYY-MM-DD"],
  [
    9,
    "warning",
    "manager_not_found",
    "manager_id",
    "Add the manager as a row, or correct the reference; it is tried again when the person appears",
  ],
  [
    10,
    "warning",
    "manager_is_self",
    "manager_id",
    "Name another manager, or leave the cell empty for the top of the organization",
  ],
  [11, "warning", "manager_cycle", "manager_id", "Leave the manager of the topmost person empty, or name another"],
  [12, "warning", "manager_cycle", "manager_id", "Leave the manager of the topmost person empty, or name another"],
  [13, "warning", "value_invalid", "timezone", "Write it as continent and city"],
  [
    14,
    "error",
    "value_invalid",
    "is_active",
    "Write yes for people who work here, no for people who have left, or add the word to the connection's active_words",
  ],
  [15, "error", "number_mangled", "employee_id", "Set the column's format to text and enter the full number again"],
  [
    16,
    "error",
    "cell_count",
    null,
    "Look for a missing or surplus delimiter, or for a delimiter in a cell without quotes",
  ],
  [
    17,
    "error",
    "cell_count",
    null,
    "Fill the row up with empty cells if they are meant to be empty",
  ],
  [18, "warning", "value_invalid", "phone", "Write the number, or leave it empty"],
  [19, "warning", "value_invalid", "language", "Write the language as two letters"],
  [20, "error", "duplicate_in_input", "email", "Keep one of the rows"],
  [21, "error", "duplicate_in_input", "email", "Keep one of the rows"],
  [22, "error", "required_field_missing", "employee_id", "Fill in employee_id"],
];

test("the file full of mistakes is reported line by line, each with its code and what to do", async () => {
  await withHub(async (hub, ask) => {
    const run = await importExample(hub, ask, "mistakes.csv");
    const { data } = await (await ask(`/v1/runs/${run.id}/issues?limit=200`)).json() as { data: IssueView[] };
    const rows = data.map(({ line, severity, code, field, suggestion }) => [line, severity, code, field, suggestion]);
    assert.deepEqual(rows, REPORTED);
  });
});

test("the file full of mistakes creates everybody whose row can be used", async () => {
  await withHub(async (hub, ask) => {
    const run = await importExample(hub, ask, "mistakes.csv");
    assert.equal(run.status, "partial");
    assert.equal(run.counts.read, 22);
    assert.equal(run.counts.created, 11);
    assert.equal(run.counts.failed, 11);
    const people = await list(ask, "/v1/users?limit=200");
    assert.deepEqual(
      people.map((user) => user.first_name).sort(),
      ["Arlo", "Cleo", "Dion", "Edda", "Jana", "Juno", "Kira", "Liv", "Nico", "Nora", "Suri"],
    );
  });
});

test("the same people as JSON and as NDJSON change nothing after the CSV", async () => {
  await withHub(async (hub, ask) => {
    const first = await importExample(hub, ask, "people.csv");
    assert.deepEqual([first.status, first.counts.created, first.counts.warned], ["succeeded", 26, 0]);
    for (const file of ["people.json", "people.ndjson"]) {
      const again = await importExample(hub, ask, file);
      assert.deepEqual([again.status, again.counts.unchanged, again.counts.warned], ["succeeded", 26, 0], file);
    }
  });
});

test("ids keep their zeros, quoted commas stay in their cells, and names keep accents and apostrophes", async () => {
  await withHub(async (hub, ask) => {
    await importExample(hub, ask, "people.csv");
    const [bram] = await list(ask, "/v1/users?employee_id=000106");
    assert.equal(bram!.last_name, "'t Hart");
    assert.equal((bram!.manager as { employee_id: string }).employee_id, "000102");
    const [uma] = await list(ask, "/v1/users?employee_id=000126");
    assert.equal((uma!.department as { name: string }).name, "Support, Customers");
    const [rafa] = await list(ask, "/v1/users?email=rafa.nunez@example.com");
    assert.equal(rafa!.last_name, "Núñez");
  });
});

test("the changes, sent as a diff, promote, move, deactivate and create, and leave the others alone", async () => {
  await withHub(async (hub, ask) => {
    await importExample(hub, ask, "people.csv");
    const { status, counts } = await importExample(hub, ask, "changes.csv", "diff");
    assert.equal(status, "succeeded");
    assert.deepEqual([counts.created, counts.updated, counts.deactivated, counts.missing], [1, 3, 1, 0]);
    const [luca] = await list(ask, "/v1/users?employee_id=000123");
    assert.equal((luca!.manager as { employee_id: string }).employee_id, "000121");
    assert.equal(luca!.phone, "+39 555 0122");
    const [wren] = await list(ask, "/v1/users?employee_id=000119");
    assert.equal(wren!.status, "inactive");
  });
});

test("the departments give parents and ids to those that the people made", async () => {
  await withHub(async (hub, ask) => {
    await importExample(hub, ask, "people.csv");
    const run = await importExample(hub, ask, "departments.csv");
    assert.equal(run.status, "succeeded");
    assert.deepEqual([run.counts.departments_created, run.counts.departments_updated], [0, 9]);
    const departments = await list(ask, "/v1/departments?limit=200");
    const payroll = departments.find((department) => department.name === "Payroll")!;
    assert.equal((payroll.parent as { name: string }).name, "Finance");
  });
});

async function withHub(what: (hub: TestHub, ask: Ask) => Promise<void>): Promise<void> {
  const hub = await createTestHub({ registry: REGISTRY });
  try {
    await what(hub, createAsk(hub, await createTestToken(hub)));
  } finally {
    hub.close();
  }
}

interface RunView {
  id: string;
  status: string;
  counts: Record<string, number>;
}

/** Hands the file in over the API, carries its run, and gives the run as it ended. */
async function importExample(hub: TestHub, ask: Ask, file: string, coverage?: "diff"): Promise<RunView> {
  const query = new URLSearchParams({ name: file, ...(coverage && { coverage }) });
  const posted = await ask(`/v1/connections/csv/drops?${query}`, {
    method: "POST",
    body: readFileSync(new URL(`../examples/${file}`, import.meta.url)),
    headers: { "content-type": "application/octet-stream" },
  });
  assert.equal(posted.status, 202, await posted.clone().text());
  const { run } = await posted.json() as { run: RunView };
  while (await runNext(hub, { signal: AbortSignal.timeout(60_000), owner: "test" }) !== null);
  return await (await ask(`/v1/runs/${run.id}`)).json() as RunView;
}

async function list(ask: Ask, path: string): Promise<Record<string, unknown>[]> {
  const { data } = await (await ask(path)).json() as { data: Record<string, unknown>[] };
  return data;
}
