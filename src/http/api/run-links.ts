/** Links to a run's page, made by API for somebody without a token: create, list, delete. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { decodeId, encodeId } from "../../model/id.ts";
import { LINK_ROLES, rightsOfRole } from "../../model/link.ts";
import { allows } from "../../model/scope.ts";
import { LONGEST_LINK_MS, mintLink, PAGE_LINK_MS } from "../../notify/links.ts";
import {
  createLink,
  deleteLink,
  findLiveLink,
  listLiveLinks,
  MAX_RUN_LINKS,
  type RunLink,
} from "../../store/notify/run-links.ts";
import { reserve } from "../../store/sequences.ts";
import { findToken } from "../../store/tokens.ts";
import { toInstant } from "../../std/time.ts";
import { byOf, ownerFrom, requires } from "../kit/authorize.ts";
import { describe, json, NOTHING, route } from "../kit/describe.ts";
import type { Bearer, Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import { answerList, PAGED } from "../kit/paging.ts";
import { idOf, INSTANT, listOf, SHOWN_ONCE_CODE } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { loadRun } from "./runs.ts";

const MAX_SECONDS = LONGEST_LINK_MS / 1000;

const ASKED = z.strictObject({
  role: z.enum(LINK_ROLES).default("viewer"),
  /** Seconds from now. */
  expires_in: z.int().min(60).max(MAX_SECONDS).default(PAGE_LINK_MS / 1000),
}).meta({ examples: [{ role: "approver", expires_in: 86400 }] });

const LINK = z.strictObject({
  id: idOf("lnk"),
  run: idOf("run"),
  role: z.enum(LINK_ROLES),
  may: z.strictObject({ see_people: z.boolean(), approve: z.boolean(), cancel: z.boolean() })
    .meta({ description: "Its role, within the scopes of its maker" }),
  token: z.string().nullable().meta({ description: "The token that it ends with", examples: ["tok_2"] }),
  member: z.string().nullable().meta({ description: "The member that it ends with", examples: [null] }),
  expires_at: INSTANT,
  created_at: INSTANT,
  url: z.string().nullable().optional().meta({
    description: "In the answer that makes it; null in a repeated one",
    examples: ["https://hub.example.com/r/…"],
  }),
  ...SHOWN_ONCE_CODE,
}).meta({ id: "RunLink" });

const create = route(
  describe("createRunLink", "Create a link to a run's page", { 201: json(LINK) }, {
    description: "Anyone with the address can open the page, without a token. It allows no more than your token, and " +
      "ends with it. The address is in this answer only. At most 100 for a run.",
    faults: ["conflict"],
  }),
  requires("runs:read"),
  jsonBody(ASKED),
  async (c) => {
    const { role, expires_in } = c.req.valid("json");
    const hub = c.get("hub");
    const { run } = await loadRun(c);
    const { id: tokenId, organizationId: home, scopes } = c.get("token");
    if (role === "approver" && !allows(scopes, "runs:approve")) {
      throw new Fault("forbidden", `The token lacks the scope "runs:approve", which is needed for the role "approver"`);
    }
    const now = hub.now();
    const until = tokenId === null ? null : (await findToken(hub.db, home, tokenId))?.expiresAt ?? null;
    const expiresAt = Math.min(now + expires_in * 1000, until ?? Infinity);
    const { id: runId, organizationId } = run;
    const id = await reserve(hub.db, "link");
    const { memberId } = ownerFrom(c.get("token"));
    const row = { id, organizationId, runId, role, scopes, tokenId, memberId, expiresAt, createdAt: now };
    const link = await createLink(hub.db, row, byOf(c));
    if (link === null) {
      throw new Fault("conflict", `The run already has ${MAX_RUN_LINKS} links, the maximum; delete one of them first`);
    }
    const terms = { rights: rightsOfRole(scopes, role)!, made: now, via: null, link: id };
    return c.json({ ...viewLink(link), url: await mintLink(hub, run, "page", expiresAt, terms) }, 201);
  },
);

const list = route(
  describe("listRunLinks", "List the links to a run's page", { 200: listOf(LINK) }, {
    description: "Those that were made by API and still work; never their addresses.",
  }),
  requires("runs:read"),
  PAGED,
  async (c) => {
    const { run } = await loadRun(c);
    const now = c.get("hub").now();
    return await answerList(
      c,
      `links-${run.id}`,
      (db, _, place) => listLiveLinks(db, run, place, now),
      (row) => row.id,
      viewLink,
    );
  },
);

const remove = route(
  describe("deleteRunLink", "Delete a link to a run's page", { 204: NOTHING }, {
    description: "It stops working at once. Links of other tokens need the scope `runs:write`.",
  }),
  requires("runs:read"),
  async (c) => {
    const { db, now } = c.get("hub");
    const link = await loadLink(c);
    if (!isOwn(c.get("token"), link) && !allows(c.get("token").scopes, "runs:write")) {
      throw new Fault("forbidden", `The token lacks the scope "runs:write", which is needed for links of other tokens`);
    }
    await deleteLink(db, link, now(), byOf(c));
    return c.body(null, 204);
  },
);

export const runLinkRoutes: Hono<Env> = new Hono<Env>()
  .post("/:id/links", ...create)
  .get("/:id/links", ...list)
  .delete("/:id/links/:link", ...remove);

async function loadLink(c: Context<Env>): Promise<RunLink> {
  const { db, now } = c.get("hub");
  const { run } = await loadRun(c);
  const name = pathParameter(c, "link");
  const id = decodeId("lnk", name);
  const found = id === null ? null : await findLiveLink(db, run.organizationId, id, now());
  if (found !== null && found.runId === run.id) return found;
  throw new Fault("not_found", `The run has no link "${name}"`);
}

function isOwn(bearer: Bearer, link: RunLink): boolean {
  const { tokenId, memberId } = ownerFrom(bearer);
  return (tokenId !== null && tokenId === link.tokenId) || (memberId !== null && memberId === link.memberId);
}

function viewLink({ id, runId, role, scopes, tokenId, memberId, expiresAt, createdAt }: RunLink): z.infer<typeof LINK> {
  const rights = rightsOfRole(scopes, role);
  return {
    id: encodeId("lnk", id),
    run: encodeId("run", runId),
    role,
    may: {
      see_people: rights?.people ?? false,
      approve: rights?.approve ?? false,
      cancel: rights?.cancel ?? false,
    },
    token: tokenId === null ? null : encodeId("tok", tokenId),
    member: memberId === null ? null : encodeId("mem", memberId),
    expires_at: toInstant(expiresAt),
    created_at: toInstant(createdAt),
  };
}
