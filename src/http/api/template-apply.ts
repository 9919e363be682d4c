/**
 * Applies a template of connections to organizations, or shows what that would do. Each organization is one batch: what is
 * wrong in one leaves the others alone, and applying again changes nothing.
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { type ConnectionTemplate, findTemplate } from "../../store/connections/connection-templates.ts";
import type { Connection } from "../../store/connections/connections.ts";
import { isUniqueViolation } from "../../store/conflict.ts";
import type { Organization } from "../../store/organizations.ts";
import { loadTargets, type Target } from "../../store/connections/template-uses.ts";
import { isFenced } from "../../store/fence.ts";
import { requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { PROBLEM, shownFault } from "../kit/problem.ts";
import { idOf } from "../kit/shapes.ts";
import { pointerOf } from "../../std/json-pointer.ts";
import { jsonBody } from "../kit/validate.ts";
import { requireMatch, withVersion } from "../kit/version.ts";
import { loadTemplate } from "./connection-templates.ts";
import { type Planned, planTarget, writeTarget } from "./template-target.ts";

const MAX_ORGANIZATIONS = 200;
/** Organizations whose connections are in memory together. */
const AT_ONCE = 25;
/** How often one organization is planned when others write to it at the same time. */
const MAX_ATTEMPTS = 5;

const OUTCOMES = ["created", "adopted", "updated", "unchanged", "refused"] as const;
const MODES = z.enum(["plan", "apply"]);

const ASKED = z.strictObject({
  organizations: z.array(z.string().min(1).max(63)).min(1).max(MAX_ORGANIZATIONS)
    .meta({ description: "Ids or slugs", examples: [["acme"]] }),
  mode: MODES,
  settings: z.record(z.string(), z.record(z.string(), z.unknown())).optional().meta({
    description: "Settings of one organization's own, by its name in `organizations`",
    examples: [{ acme: { subdomain: "acme" } }],
  }),
}).meta({ id: "TemplateApply" });

const FIELD = z.string().meta({ description: "JSON pointer into the connection", examples: ["/policy/missing"] });
const VALUE = z.unknown().optional();

const RESULT = z.strictObject({
  organization: z.strictObject({ id: idOf("org"), slug: z.string() }).nullable(),
  outcome: z.enum(OUTCOMES).meta({ description: "`adopted`: it was there, and follows the template from now on" }),
  connection: z.strictObject({ id: idOf("con").nullable(), slug: z.string() }).nullable(),
  changes: z.array(z.strictObject({ field: FIELD, before: VALUE, after: VALUE })),
  kept: z.array(z.strictObject({ field: FIELD, own: VALUE, template: VALUE, before: VALUE }))
    .meta({ description: "The organization's own values; `before`: the template's when it was last applied" }),
  custom_fields: z.array(z.string()).meta({ description: "New, of the preset" }),
  secrets_cleared: z.boolean(),
  secrets_required: z.array(z.string()),
  refused: PROBLEM.pick({ code: true, detail: true, errors: true }).nullable(),
}).meta({ id: "TemplateResult" });

const ANSWER = z.strictObject({
  template: z.strictObject({ id: idOf("tpl"), name: z.string(), version: z.int() }),
  mode: MODES,
  counts: z.strictObject(Object.fromEntries(OUTCOMES.map((name) => [name, z.int()])) as Record<Outcome, z.ZodInt>),
  data: z.array(RESULT).meta({ description: "In the order of `organizations`" }),
}).meta({ id: "TemplateApplied" });

type Outcome = (typeof OUTCOMES)[number];
export type TemplateResultView = z.infer<typeof RESULT>;
export type TemplateAppliedView = z.infer<typeof ANSWER>;
type Result = TemplateResultView;
type Asked = z.infer<typeof ASKED>;

const apply = route(
  describe("applyConnectionTemplate", "Apply a connection template", { 200: versioned(ANSWER) }, {
    description:
      "`plan` shows what `apply` would do in each organization. Values that an organization has changed are " +
      "kept. What loosens protection, or names a remote source, needs `runs:approve`. Repeat it freely.",
    headers: [IF_MATCH],
  }),
  requires("operator"),
  jsonBody(ASKED),
  async (c) => {
    const asked = c.req.valid("json");
    requireListed(asked);
    const template = await loadTemplate(c);
    requireMatch(c, template);
    const data: Result[] = [];
    for (let from = 0; from < asked.organizations.length; from += AT_ONCE) {
      const names = asked.organizations.slice(from, from + AT_ONCE);
      const targets = await loadTargets(c.get("hub").db, template, names);
      for (const name of names) data.push(await answerFor(c, template, asked, name, targets.get(name)));
    }
    const counts = Object.fromEntries(
      OUTCOMES.map((name) => [name, data.filter(({ outcome }) => outcome === name).length]),
    ) as Record<Outcome, number>;
    const { id, name, version } = template;
    const answer = { template: { id: encodeId("tpl", id), name, version }, mode: asked.mode, counts, data };
    return withVersion(c, template, answer satisfies z.infer<typeof ANSWER>);
  },
);

export const templateApplyRoutes: Hono<Env> = new Hono<Env>().post("/:id/apply", ...apply);

function requireListed({ organizations, settings = {} }: Asked): void {
  const errors = Object.keys(settings).filter((name) => !organizations.includes(name))
    .map((name) => ({ pointer: pointerOf(["settings", name]), detail: "should be named in organizations" }));
  if (errors.length === 0) return;
  throw new Fault("invalid_request", "The settings are of an organization that is not named", { errors });
}

/** Plans the organization, and writes it in the mode `apply`. What is wrong with it alone is part of the answer. */
async function answerFor(
  c: Context<Env>,
  template: ConnectionTemplate,
  { mode, settings = {} }: Asked,
  name: string,
  loaded: Target | undefined,
): Promise<Result> {
  const given = Object.hasOwn(settings, name) ? settings[name]! : {};
  let target = loaded;
  for (let attempt = 1; target !== undefined; attempt++) {
    try {
      const planned = await planTarget(c, template, target, given);
      if (mode === "plan") {
        const { connection } = target;
        return viewPlanned(
          target,
          planned,
          connection ? viewConnection(connection) : { id: null, slug: template.slug },
        );
      }
      const written = await writeTarget(c, template, target, planned.write);
      if (written !== null) return viewPlanned(target, planned, viewConnection(written));
    } catch (error) {
      const fault = await faultOf(c, template, target, error);
      if (fault !== null) return viewRefused(target, fault);
    }
    if (attempt === MAX_ATTEMPTS) {
      return viewRefused(target, new Fault("stale", "The connection kept changing during the update; apply it again"));
    }
    target = (await loadTargets(c.get("hub").db, template, [name])).get(name);
  }
  return viewRefused(null, new Fault("not_found", `There is no organization "${name}"`));
}

/**
 * Why the organization is refused; null: something was written to it at the same time, so that it is to be planned again.
 * Other errors are thrown again: they are about every organization.
 */
async function faultOf(
  c: Context<Env>,
  template: ConnectionTemplate,
  target: Target,
  error: unknown,
): Promise<Fault | null> {
  // Another request has made the connection.
  if (target.connection === null && isUniqueViolation(error)) return null;
  if (error instanceof Fault) return error;
  if (isUniqueViolation(error, "template_uses")) return null;
  if (!isFenced(error)) throw error;
  const { db } = c.get("hub");
  if ((await findTemplate(db, template.id))?.version !== template.version) {
    return new Fault("stale", "The template was changed in the meantime; plan it again");
  }
  const { id } = target.organization;
  if ((await loadTargets(db, template, [encodeId("org", id)])).size === 0) return null;
  throw error;
}

function viewPlanned({ organization }: Target, planned: Planned, connection: Result["connection"]): Result {
  return {
    organization: viewOrganization(organization),
    outcome: planned.outcome,
    connection,
    changes: [...planned.changes],
    kept: [...planned.kept],
    custom_fields: [...planned.customFields],
    secrets_cleared: planned.secretsCleared,
    secrets_required: [...planned.secretsRequired],
    refused: null,
  };
}

function viewRefused(target: Target | null, fault: Fault): Result {
  const { code, detail, errors } = shownFault(fault);
  const connection = target?.connection ?? null;
  return {
    organization: target && viewOrganization(target.organization),
    outcome: "refused",
    connection: connection && viewConnection(connection),
    changes: [],
    kept: [],
    custom_fields: [],
    secrets_cleared: false,
    secrets_required: [],
    refused: { code, detail, errors },
  };
}

function viewOrganization({ id, slug }: Organization): Result["organization"] {
  return { id: encodeId("org", id), slug };
}

function viewConnection({ id, slug }: Pick<Connection, "id" | "slug">): Result["connection"] {
  return { id: encodeId("con", id), slug };
}
