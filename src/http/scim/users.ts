/** `/Users`: people of the connection (RFC 7644, section 3). */
import { type Context, Hono } from "hono";
import { project } from "../../scim/project.ts";
import type { Resource } from "../../scim/value.ts";
import type { Env } from "../kit/env.ts";
import { answer, isKnown, locationOf, tagOf } from "./answer.ts";
import { readJsonBody } from "./body.ts";
import { deleteUser, patchUser, replaceUser } from "./change-user.ts";
import { contextOf, type Scim } from "./context.ts";
import { createUser } from "./create-user.ts";
import { listUsers } from "./list-users.ts";
import { SCIM } from "./marked.ts";
import { listQueryOf, projectionOf, searchQueryOf } from "./query.ts";
import { loadPerson } from "./view-user.ts";

export const userRoutes: Hono<Env> = new Hono<Env>()
  .get("/", SCIM, async (c) => answer(c, await listUsers(c, await contextOf(c), listQueryOf(c))))
  .post("/", SCIM, async (c) => {
    const scim = await contextOf(c), body = await readJsonBody(c);
    const resource = await createUser(c, scim, body);
    return show(c, scim, resource, 201, { location: locationOf(resource) });
  })
  .post("/.search", SCIM, async (c) => {
    const query = searchQueryOf(await readJsonBody(c));
    return answer(c, await listUsers(c, await contextOf(c), query));
  })
  .get("/:id", SCIM, async (c) => {
    const scim = await contextOf(c);
    const { resource } = await loadPerson(c, scim);
    if (isKnown(c, resource)) return c.body(null, 304, { etag: tagOf(resource) });
    return show(c, scim, resource);
  })
  .put("/:id", SCIM, async (c) => {
    const scim = await contextOf(c), body = await readJsonBody(c);
    return show(c, scim, await replaceUser(c, scim, body));
  })
  .patch("/:id", SCIM, async (c) => {
    const scim = await contextOf(c), body = await readJsonBody(c);
    return show(c, scim, await patchUser(c, scim, body));
  })
  .delete("/:id", SCIM, async (c) => {
    await deleteUser(c, await contextOf(c));
    return c.body(null, 204);
  });

function show(
  c: Context<Env>,
  scim: Scim,
  resource: Resource,
  status = 200,
  headers: Record<string, string> = {},
): Response {
  const shown = project(scim.users, resource, projectionOf(c, scim.users));
  return answer(c, shown, status, { etag: tagOf(resource), ...headers });
}
