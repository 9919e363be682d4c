import { type CheckResult, type Connector, defineConnector, type SourceContext } from "@muster-hub/connector";
import { flatten } from "./flatten.ts";
import { ScimClient } from "./scim-client.ts";
import { type Settings, settings } from "./settings.ts";

const connector: Connector<Settings> = defineConnector({
  api: 1,
  name: "scim-people",
  version: "0.3.0",
  title: "SCIM 2.0 service provider",
  input: "fetch",
  coverage: { users: "full" },
  settings,
  key: "source_id",
  schedule: { cron: "15 3 * * *" },
  secrets: { token: { title: "Bearer token", description: "One that may read users" } },
  authKinds: ["bearer"],
  auth: () => ({ kind: "bearer", token: { secret: "token" } }),
  hosts: ({ base_url }) => [new URL(base_url).host],
  mapping: {
    "id": "source_id",
    "userName": null,
    "name.givenName": "first_name",
    "name.familyName": "last_name",
    "emails.primary": "email",
    "title": "title",
    "active": "is_active",
    "locale": "language",
    "timezone": "timezone",
    "phoneNumbers.work": "phone",
    "enterprise.employeeNumber": "employee_id",
    "enterprise.department": "department_name",
    "enterprise.manager": "manager_key",
  },
  async *fetch(context) {
    const client = new ScimClient(context.fetch, context.settings);
    const begin = typeof context.checkpoint.resume === "number" ? context.checkpoint.resume : 1;
    for await (const { startIndex, resources, totalResults } of client.pages("Users", begin)) {
      context.expectTotal(totalResults);
      yield { origin: `/Users?startIndex=${startIndex}`, records: resources.map(flatten) };
      await context.checkpoint.save(startIndex + resources.length);
    }
  },
  check,
});

async function check({ fetch, settings }: SourceContext<Settings>): Promise<CheckResult> {
  const { totalResults } = await new ScimClient(fetch, settings).page("Users", 1, 1);
  return { ok: true, detail: `The service provider lists ${totalResults} users`, found: { users: totalResults } };
}

export default connector;
