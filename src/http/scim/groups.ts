/** `/Groups`: groups of the connection (RFC 7643, section 4.2). */
import { type Context, Hono } from "hono";
import { ScimError } from "../../scim/error.ts";
import { GROUP_TYPE } from "../../scim/group-schema.ts";
import { findGroup } from "../../store/scim/groups.ts";
import type { Env } from "../kit/env.ts";
import { answer, isKnown, locationOf, tagOf } from "./answer.ts";
import { readJsonBody } from "./body.ts";
import { contextOf, type Scim } from "./context.ts";
import { listGroups } from "./list-groups.ts";
import { SCIM } from "./marked.ts";
import { listQueryOf, projectionOf, searchQueryOf } from "./query.ts";
import { loadGroup, viewGroup, viewGroups } from "./view-group.ts";
import { makeGroup, patchGroup, removeGroup, replaceGroup } from "./write-group.ts";

export const groupRoutes: Hono<Env> = new Hono<Env>()
  .get("/", SCIM, async (c) => answer(c, await listGroups(c, await contextOf(c), listQueryOf(c))))
  .post("/", SCIM, async (c) => {
    const scim = await contextOf(c);
    const { id } = await makeGroup(c, scim, await readJsonBody(c));
    return await show(c, scim, id, 201);
  })
  .post("/.search", SCIM, async (c) => {
    const query = searchQueryOf(await readJsonBody(c));
    return answer(c, await listGroups(c, await contextOf(c), query));
  })
  .get("/:id", SCIM, async (c) => {
    const scim = await contextOf(c), group = await loadGroup(c, scim);
    const tagged = viewGroup(scim, group, null);
    if (isKnown(c, tagged)) return c.body(null, 304, { etag: tagOf(tagged) });
    return await show(c, scim, group.id);
  })
  .put("/:id", SCIM, async (c) => {
    const scim = await contextOf(c);
    await replaceGroup(c, scim, await readJsonBody(c));
    return await show(c, scim, (await loadGroup(c, scim)).id);
  })
  .patch("/:id", SCIM, async (c) => {
    const scim = await contextOf(c);
    await patchGroup(c, scim, await readJsonBody(c));
    // No list of thousands of members for each one that is added, unless it is asked for (RFC 7644, section 3.5.2).
    if (c.req.query("attributes") === undefined) return c.body(null, 204);
    return await show(c, scim, (await loadGroup(c, scim)).id);
  })
  .delete("/:id", SCIM, async (c) => {
    await removeGroup(c, await contextOf(c));
    return c.body(null, 204);
  });

async function show(c: Context<Env>, scim: Scim, id: number, status = 200): Promise<Response> {
  const [shown] = await viewGroups(c, scim, [id], projectionOf(c, GROUP_TYPE));
  if (shown === undefined) throw new ScimError("notFound", "The group was deleted meanwhile");
  const group = (await findGroup(c.get("hub").db, scim.within, id))!, full = viewGroup(scim, group, null);
  const location: Record<string, string> = status === 201 ? { location: locationOf(full) } : {};
  return answer(c, shown, status, { etag: tagOf(full), ...location });
}
