/** Sessions of the console: who is signed in, and signing them out. */
import { Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { allows } from "../../model/scope.ts";
import { endSession, findSession, type ListedSession, listSessions } from "../../store/sessions.ts";
import { toInstant } from "../../std/time.ts";
import { byOf, ownerFrom, requires } from "../kit/authorize.ts";
import { describe, NOTHING, route } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { byId, loader } from "../kit/load.ts";
import { answerList, PAGING } from "../kit/paging.ts";
import { idOf, INSTANT, listOf } from "../kit/shapes.ts";
import { query } from "../kit/validate.ts";

const SESSION = z.strictObject({
  id: idOf("ses"),
  token: idOf("tok").nullable().meta({ description: "Null: it is a member's" }),
  member: z.strictObject({ id: idOf("mem"), email: z.string(), name: z.string().nullable() }).nullable()
    .meta({ description: "Null: it is a token's", examples: [null] }),
  address: z.string().nullable().meta({ description: "Network address that it began from", examples: ["192.0.2.7"] }),
  used_at: INSTANT,
  expires_at: INSTANT,
  created_at: INSTANT,
}).meta({ id: "Session" });

export type SessionView = z.infer<typeof SESSION>;

const FILTER = z.strictObject({
  ...PAGING,
  own: z.literal("true").optional().meta({ description: "The caller's own only" }),
});

const list = route(
  describe("listSessions", "List sessions of the console", { 200: listOf(SESSION) }, {
    description: "Browsers that are signed in, the latest first. Those of others need the scope `admin`.",
  }),
  requires("runs:own"),
  query(FILTER),
  async (c) => {
    const bearer = c.get("token");
    const isOwn = c.req.valid("query").own === "true" || !allows(bearer.scopes, "admin");
    const owner = isOwn ? ownerFrom(bearer) : null;
    const now = c.get("hub").now();
    return await answerList(
      c,
      "sessions",
      (db, id, place) => listSessions(db, id, owner, place, now),
      ({ session }) => session.id,
      view,
    );
  },
);

const loadSession = loader("session", byId("ses", findSession));

const remove = route(
  describe("deleteSession", "End a session of the console", { 204: NOTHING }, {
    description: "The browser is signed out at once. Those of others need the scope `admin`.",
  }),
  requires("runs:own"),
  async (c) => {
    const session = await loadSession(c);
    const { tokenId, memberId } = ownerFrom(c.get("token"));
    const isOwn = session.tokenId === tokenId && session.memberId === memberId;
    if (!isOwn && !allows(c.get("token").scopes, "admin")) {
      throw new Fault("forbidden", `The token lacks the scope "admin", which is needed for sessions of others`);
    }
    const { db, now } = c.get("hub");
    await endSession(db, session, now(), byOf(c));
    return c.body(null, 204);
  },
);

export const sessionRoutes: Hono<Env> = new Hono<Env>()
  .get("/", ...list)
  .delete("/:id", ...remove);

function view({ session, member }: ListedSession): SessionView {
  return {
    id: encodeId("ses", session.id),
    token: session.tokenId === null ? null : encodeId("tok", session.tokenId),
    member: member === null ? null : { ...member, id: encodeId("mem", member.id) },
    address: session.address,
    used_at: toInstant(session.usedAt),
    expires_at: toInstant(session.expiresAt),
    created_at: toInstant(session.createdAt),
  };
}
