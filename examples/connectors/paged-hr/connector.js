// @ts-check
// An HR system with a bearer key, whose list comes in pages of a cursor and which answers 429 to whoever asks too fast.
// Plain JavaScript, and no library but Muster's own: the settings are checked by hand.
import { defineConnector, expectOk, SourceFault } from "@muster-hub/connector";

/** @typedef {{ host: string, include_contractors: boolean }} Settings */

export default defineConnector({
  api: 1,
  name: "paged-hr",
  version: "1.0.0",
  title: "Paged HR",
  input: "fetch",
  coverage: { users: "full" },
  key: "source_id",
  schedule: { every_minutes: 60 },
  secrets: { api_key: { title: "API key", description: "From Settings → Integrations" } },
  authKinds: ["bearer"],
  auth: () => ({ kind: "bearer", token: { secret: "api_key" } }),
  mapping: {
    id: "source_id",
    number: "employee_id",
    mail: "email",
    givenName: "first_name",
    familyName: "last_name",
    jobTitle: "title",
    team: "department_name",
    boss: "manager_key",
    state: "is_active",
    started: "hire_date",
  },
  settings: settingsSchema(),
  settingsJsonSchema: {
    type: "object",
    properties: {
      host: { type: "string", description: "Such as acme.hr.example.com" },
      include_contractors: { type: "boolean", default: false },
    },
    required: ["host"],
    additionalProperties: false,
  },
  hosts: ({ host }) => [host],

  // Waiting after a 429 needs no code: the hub waits for as long as Retry-After says and asks again.
  async *fetch({ settings, checkpoint, expectTotal, fetch }) {
    const seen = new Set();
    for (let cursor = textOf(checkpoint.resume); cursor !== null;) {
      if (seen.has(cursor)) throw new SourceFault("answer", "The pages go in a circle");
      seen.add(cursor);
      const { people, next, total } = await page(fetch, settings, cursor);
      if (typeof total === "number") expectTotal(total);
      yield { origin: `/v2/people, page ${cursor || "first"}`, records: people };
      cursor = next;
      if (cursor !== null) await checkpoint.save(cursor);
    }
  },

  async check({ settings, fetch }) {
    const { total } = await page(fetch, settings, "");
    return { ok: true, detail: `${total ?? "Some"} people can be read`, found: { people: total } };
  },

  normalize(row, { fields }) {
    /** @type {Record<string, import("@muster-hub/connector").Cell>} */
    const record = {};
    row.columns.forEach((column, i) => {
      const field = fields[i], cell = row.cells[i];
      if (field == null || cell === undefined) return;
      record[field] = column === "state" ? cell !== "left" : cell;
    });
    return record;
  },
});

/**
 * @param {import("@muster-hub/connector").SourceFetch} fetch
 * @param {Settings} settings
 * @param {string} cursor Empty: the first page.
 */
async function page(fetch, { host, include_contractors }, cursor) {
  const url = new URL(`https://${host}/v2/people?limit=100`);
  if (cursor !== "") url.searchParams.set("cursor", cursor);
  if (include_contractors) url.searchParams.set("include", "contractors");
  const response = expectOk(await fetch(url), "people");
  const body = await response.json();
  // A list that is not there is no empty list: people would be taken for gone.
  if (!Array.isArray(body?.people)) throw new SourceFault("answer", "The answer has no list of people");
  if (body.next !== null && typeof body.next !== "string") {
    throw new SourceFault("answer", "The answer does not say whether there is a next page");
  }
  return body;
}

/** @param {unknown} resume */
function textOf(resume) {
  return typeof resume === "string" ? resume : "";
}

/** By Standard Schema, which Muster takes from any library. @returns {import("@muster-hub/connector").StandardSchemaV1<unknown, Settings>} */
function settingsSchema() {
  return {
    "~standard": {
      version: 1,
      vendor: "paged-hr",
      validate(value) {
        if (typeof value !== "object" || value === null) return { issues: [{ message: "expected an object" }] };
        const { host, include_contractors = false, ...rest } = /** @type {Record<string, unknown>} */ (value);
        const [unknown] = Object.keys(rest);
        if (unknown !== undefined) return { issues: [{ message: "is not a setting", path: [unknown] }] };
        if (typeof host !== "string" || !/^[a-z0-9.-]+(:\d+)?$/.test(host)) {
          return { issues: [{ message: "expected a host such as acme.hr.example.com", path: ["host"] }] };
        }
        if (typeof include_contractors !== "boolean") {
          return { issues: [{ message: "expected true or false", path: ["include_contractors"] }] };
        }
        return { value: { host, include_contractors } };
      },
    },
  };
}
