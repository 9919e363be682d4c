/** `muster org create`: a new organization with its connections. */
import { byCommand } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { SLUG, TIMEZONE } from "../http/kit/values.ts";
import { encodeId } from "../model/id.ts";
import { createOrganization } from "../store/organizations.ts";
import { DONE } from "../runtime/command.ts";
import { defineCommand } from "./command.ts";
import { withHub } from "./open-hub.ts";

export const createOrg = defineCommand({
  name: "org create",
  summary: "Makes an organization with its connections csv and api",
  options: {
    slug: { type: "string", value: "SLUG", help: "its name in URLs (needed)" },
    name: { type: "string", value: "TEXT", help: "its name for people (the slug)" },
    timezone: { type: "string", value: "ZONE", help: "IANA time zone (UTC)" },
    json: { type: "boolean", help: "prints it as JSON" },
  },
  run: async ({ slug = "", name, timezone = "UTC", json }, terminal) => {
    if (!SLUG.safeParse(slug).success) {
      throw new Fault(
        "invalid_request",
        `--slug is "${slug}": it should be lower-case letters, digits and - between them, at most 63`,
      );
    }
    if (!TIMEZONE.safeParse(timezone).success) {
      throw new Fault(
        "invalid_request",
        `--timezone is "${timezone}": it should be an IANA time zone, like Europe/Berlin`,
      );
    }
    const organization = await withHub(
      terminal,
      (hub) =>
        createOrganization(hub.db, { slug, name: name?.trim() || slug, timezone }, hub.now(), byCommand("org create")),
    );
    const id = encodeId("org", organization.id);
    if (json) terminal.out(JSON.stringify({ id, slug, name: organization.name, timezone }, null, 2));
    else terminal.out(`${id} ${slug}`);
    return DONE;
  },
});
