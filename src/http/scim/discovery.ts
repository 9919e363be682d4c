/** `/ResourceTypes` and `/Schemas` (RFC 7644, section 4), with the custom fields of the organization. */
import { type Context, Hono } from "hono";
import { schemasOf, viewResourceType, viewSchema } from "../../scim/discovery.ts";
import { ScimError } from "../../scim/error.ts";
import { GROUP_TYPE } from "../../scim/group-schema.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import { answer } from "./answer.ts";
import { contextOf } from "./context.ts";
import { SCIM } from "./marked.ts";

type Description = { readonly id: string };

export const discoveryRoutes: Hono<Env> = new Hono<Env>()
  .get("/ResourceTypes", SCIM, async (c) => answerAll(c, await resourceTypes(c)))
  .get("/ResourceTypes/:id", SCIM, async (c) => answerOne(c, await resourceTypes(c)))
  .get("/Schemas", SCIM, async (c) => answerAll(c, await schemas(c)))
  .get("/Schemas/:id", SCIM, async (c) => answerOne(c, await schemas(c)))
  // There is no resource of the client itself: a token is of a connection, not of a person.
  .all("/Me", SCIM, () => {
    throw new ScimError("notImplemented", "A token is of a connection, which is no user");
  })
  .post("/Bulk", SCIM, () => {
    throw new ScimError("notImplemented", "Operations in bulk are not supported: send each by itself");
  });

async function resourceTypes(c: Context<Env>): Promise<Description[]> {
  const { base, users } = await contextOf(c);
  return [users, GROUP_TYPE].map((type) => viewResourceType(type, base));
}

async function schemas(c: Context<Env>): Promise<Description[]> {
  const { base, users } = await contextOf(c);
  return schemasOf([users, GROUP_TYPE]).map((schema) => viewSchema(schema, base));
}

/** All of them at once, whatever the query says; a filter is refused, so that nobody takes the answer for filtered. */
function answerAll(c: Context<Env>, all: readonly Description[]): Response {
  if (c.req.query("filter") !== undefined) throw new ScimError("forbidden", "This list cannot be filtered");
  return answer(c, {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    totalResults: all.length,
    startIndex: 1,
    itemsPerPage: all.length,
    Resources: all,
  });
}

function answerOne(c: Context<Env>, all: readonly Description[]): Response {
  const name = pathParameter(c, "id");
  const found = all.find(({ id }) => id.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw new ScimError("notFound", `There is no "${name.slice(0, 200)}"`);
  return answer(c, found);
}
