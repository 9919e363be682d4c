/** Descriptions of path parameters, one for each kind of thing. */

/** By the part of the path before the parameter, and the parameter's name. */
const PARAMETERS: Readonly<Record<string, { readonly component: string; readonly description: string }>> = {
  "organizations/id": { component: "organization", description: "Id or slug of the organization" },
  "connections/id": { component: "connection", description: "Id or slug of the connection" },
  "connection-templates/id": { component: "connection_template", description: "Id of the connection template" },
  "pgp-keys/pgp_key": { component: "pgp_key", description: "Id of the OpenPGP key" },
  "members/id": { component: "member", description: "Id of the member" },
  "sessions/id": { component: "session", description: "Id of the session" },
  "tokens/id": { component: "token", description: "Id of the token" },
  "drops/id": { component: "drop", description: "Id of the drop" },
  "uploads/id": { component: "upload", description: "Id of the upload, from the answer that opened it" },
  "parts/part": {
    component: "part",
    description: "Number of the part, counted from 1; parts may be sent in any order",
  },
  "runs/id": { component: "run", description: "Id of the run" },
  "links/link": { component: "link", description: "Id of the link" },
  "events/id": { component: "event", description: "Id of the event, the `webhook-id` of its deliveries" },
  "webhook-endpoints/id": { component: "webhook_endpoint", description: "Id of the webhook endpoint" },
  "deliveries/id": { component: "delivery", description: "Id of the delivery" },
  "users/id": { component: "user", description: "Id of the user" },
  "departments/id": { component: "department", description: "Id of the department" },
  "groups/id": { component: "group", description: "Id of the group" },
  "custom-fields/key": {
    component: "custom_field",
    description: "Key of the custom field: its name in records, mappings and `custom`",
  },
  "bridges/id": { component: "bridge", description: "Id of the bridge" },
  "checks/id": { component: "check", description: "Id of the check, from the list of pending work" },
  "files/id": { component: "file", description: "Id of the file, from the answer that sealed its upload" },
  "r/signed": { component: "run_link", description: "Signature of the link, as the mail or event has it" },
  "reports/signed": { component: "report_link", description: "Signature of the link, as the mail or event has it" },
  "errors/code": { component: "code", description: "Code of a problem or of an issue, such as `not_found`" },
  "docs/file": { component: "docs_file", description: "Name of a file of the viewer: `viewer.css` or `viewer.js`" },
  "hints/connection": {
    component: "hinted_connection",
    description: "Id of the connection whose source sends the webhook",
  },
};

/** The parameters in a path such as `/v1/runs/:id`, in their order. Unknown ones have no description. */
export function pathParametersOf(path: string): { name: string; component: string; description?: string }[] {
  return [...path.matchAll(/([\w-]+)\/:(\w+)/g)].map(([, before, name]) => {
    const { component, ...known } = PARAMETERS[`${before}/${name}`] ?? { component: `${before}.${name}` };
    return { name: name!, component, ...known };
  });
}
