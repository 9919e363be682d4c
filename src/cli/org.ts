/** `muster org create`: a new organization with its connections. */
import { byCommand } from "../model/audit.ts";
import { Fault } from "../model/errors.ts";
import { SLUG, TIMEZONE } from "../http/kit/values.ts";
import { encodeId } from "../model/id.ts";
import { createOrganization } from "../store/organizations.ts";
import { type Command, DONE, readArgs } from "../runtime/command.ts";
import { withHub } from "./open-hub.ts";

export const createOrg: Command = async (args, terminal) => {
  const { values } = readArgs(args, {
    slug: { type: "string" },
    name: { type: "string" },
    timezone: { type: "string", default: "UTC" },
    json: { type: "boolean" },
  });
  const { slug = "", name, timezone = "UTC" } = values;
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
  if (values.json) terminal.out(JSON.stringify({ id, slug, name: organization.name, timezone }, null, 2));
  else terminal.out(`${id} ${slug}`);
  return DONE;
};
