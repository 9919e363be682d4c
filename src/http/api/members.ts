/** Members of an organization: invite, list, change, remove. They sign in to the console by their address. */
import { type Context, Hono } from "hono";
import { z } from "zod";
import { Fault } from "../../model/errors.ts";
import { encodeId } from "../../model/id.ts";
import { beyondRole, type Role, ROLE_NAMES } from "../../model/role.ts";
import { createInvitation, type Invitation } from "../../notify/invitations.ts";
import { stopEndpointsOf } from "../../notify/switch-off.ts";
import {
  createMember,
  deleteMember,
  findMember,
  inviteAgain,
  listMembers,
  type Member,
  updateMember,
} from "../../store/members.ts";
import { reserve } from "../../store/sequences.ts";
import { toInstant, toInstantOrNull } from "../../std/time.ts";
import { byOf, requires } from "../kit/authorize.ts";
import { describe, IF_MATCH, json, NOTHING, route, versioned } from "../kit/describe.ts";
import type { Env } from "../kit/env.ts";
import { byId, loader } from "../kit/load.ts";
import { answerList, PAGED } from "../kit/paging.ts";
import { idOf, INSTANT, listOf, SHOWN_ONCE, SHOWN_ONCE_CODE } from "../kit/shapes.ts";
import { jsonBody } from "../kit/validate.ts";
import { ADDRESS, NAME, NO_FIELDS } from "../kit/values.ts";
import { changeVersion, getVersion, withVersion, writeVersion } from "../kit/version.ts";

const ROLE = z.enum(ROLE_NAMES).meta({ id: "Role", examples: ["approver"] });

const NEW = z.strictObject({ email: ADDRESS, name: NAME.nullable().default(null), role: ROLE })
  .meta({ id: "MemberInput", examples: [{ email: "ana@acme.test", name: "Ana Example", role: "approver" }] });
const CHANGES = z.strictObject({ name: NAME.nullable(), role: ROLE }).partial()
  .meta({ id: "MemberChanges", examples: [{ role: "viewer" }] });

const MEMBER = z.strictObject({
  id: idOf("mem"),
  email: z.string().meta({ description: "In lower case", examples: ["ana@acme.test"] }),
  name: z.string().nullable().meta({ examples: ["Ana Example"] }),
  role: ROLE,
  invited_by: z.strictObject({
    kind: z.string().meta({ examples: ["member"] }),
    id: z.string().nullable().meta({ examples: ["mem_2"] }),
    name: z.string().nullable(),
  }),
  last_sign_in_at: INSTANT.nullable().meta({ description: "Null: never yet" }),
  version: z.int(),
  created_at: INSTANT,
  updated_at: INSTANT,
}).meta({ id: "Member" });

export type MemberView = z.infer<typeof MEMBER>;

const INVITED = MEMBER.extend({
  not_mailed: z.string().nullable().meta({
    description: "Why the invitation is not mailed, and what to do; null: it is on its way",
    examples: [null],
  }),
  link: SHOWN_ONCE.meta({
    description: "Where no mail can be sent: signs the member in, once, within 7 days. Null in a repeated answer",
    examples: [null],
  }),
  ...SHOWN_ONCE_CODE,
}).meta({ id: "InvitedMember" });

export type InvitedMember = z.infer<typeof INVITED>;

const STOPPED = z.strictObject({ webhook_endpoints: z.array(idOf("whe")) }).meta({ id: "MemberDeleted" });

function viewMember(member: Member): MemberView {
  return {
    id: encodeId("mem", member.id),
    email: member.email,
    name: member.name,
    role: member.role,
    invited_by: member.invitedBy,
    last_sign_in_at: toInstantOrNull(member.signedInAt),
    version: member.version,
    created_at: toInstant(member.createdAt),
    updated_at: toInstant(member.updatedAt),
  };
}

function viewInvited(member: Member, { link, notMailed }: Invitation): InvitedMember {
  return { ...viewMember(member), not_mailed: notMailed, link };
}

const loadMember = loader("member", byId("mem", findMember));

const create = route(
  describe("createMember", "Invite a member", { 201: versioned(INVITED) }, {
    description: "A mail brings them a link that signs in once, within 7 days. Where the hub sends no mails, " +
      "the answer has the link. An organization has at most 1,000 members.",
    faults: ["conflict"],
  }),
  requires("admin"),
  jsonBody(NEW),
  async (c) => {
    const input = c.req.valid("json"), hub = c.get("hub");
    requireRole(c, input.role);
    const row = { id: await reserve(hub.db, "member"), organizationId: c.get("organization").id, ...input };
    const invitation = await createInvitation(hub, row);
    const member = await createMember(
      hub.db,
      { ...row, invitation: invitation.number },
      invitation.bring,
      hub.now(),
      byOf(c),
    );
    return withVersion(c, member, viewInvited(member, invitation), 201);
  },
);

const list = route(
  describe("listMembers", "List members", { 200: listOf(MEMBER) }, {
    description: "Who may sign in to the console, as what, and when they last did; the oldest first.",
  }),
  requires("admin"),
  PAGED,
  (c) => answerList(c, "members", listMembers, (row) => row.id, viewMember),
);

const get = route(
  describe("getMember", "Get a member", { 200: versioned(MEMBER) }, {
    description: "Address, role and last sign-in, with the version for `If-Match`.",
  }),
  requires("admin"),
  (c) => getVersion(c, loadMember, viewMember),
);

const update = route(
  describe("updateMember", "Update a member", { 200: versioned(MEMBER) }, {
    description: "Changes the given fields only. Another role signs the member out everywhere, and ends the links " +
      "to runs that they made. Nobody changes their own role.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("admin"),
  jsonBody(CHANGES),
  (c) => {
    const changes = c.req.valid("json");
    return changeVersion(c, loadMember, async (db, current, now, by) => {
      const { name = current.name, role = current.role } = changes;
      if (name === current.name && role === current.role) return current;
      if (role !== current.role) requireOther(c, current, "change your own role");
      requireRole(c, current.role);
      requireRole(c, role);
      return await updateMember(db, current, { name, role }, now, by);
    }, viewMember);
  },
);

const remove = route(
  describe("deleteMember", "Remove a member", {
    200: json(STOPPED, {}, "These endpoints were stopped with them"),
    204: NOTHING,
  }, {
    description: "Their sessions and links end at once, and so do the webhook endpoints that they created: 200 " +
      "lists them, 204 means there were none. Nobody removes themselves.",
    headers: [IF_MATCH],
    faults: ["conflict"],
  }),
  requires("admin"),
  async (c) => {
    const hub = c.get("hub"), stopped: string[] = [];
    await writeVersion(c, loadMember, async (db, current, now, by) => {
      requireOther(c, current, "remove yourself");
      requireRole(c, current.role);
      const stop = () => stopEndpointsOf(hub, { kind: "member", id: encodeId("mem", current.id) }, by);
      // As for tokens: before, so that a request that breaks off can be repeated, and after, for what came in between.
      stopped.push(...await stop());
      if (!await deleteMember(db, current, now, by)) return null;
      stopped.push(...await stop());
      return true;
    });
    if (stopped.length === 0) return c.body(null, 204);
    hub.wake();
    return c.json({ webhook_endpoints: stopped } satisfies z.infer<typeof STOPPED>);
  },
);

const invite = route(
  describe("inviteMember", "Invite a member again", { 200: versioned(INVITED) }, {
    description: "A new link takes the place of all that were sent to the member before. They stay signed in " +
      "where they are.",
  }),
  requires("admin"),
  jsonBody(NO_FIELDS),
  async (c) => {
    const hub = c.get("hub");
    const { id } = await loadMember(c);
    const invitation = await createInvitation(hub, { id, organizationId: c.get("organization").id });
    const member = await writeVersion(c, loadMember, (db, current, now, by) => {
      requireRole(c, current.role);
      return inviteAgain(db, current, { invitation: invitation.number, bring: invitation.bring }, now, by);
    });
    return withVersion(c, member, viewInvited(member, invitation));
  },
);

export const memberRoutes: Hono<Env> = new Hono<Env>()
  .post("/", ...create)
  .get("/", ...list)
  .get("/:id", ...get)
  .patch("/:id", ...update)
  .delete("/:id", ...remove)
  .post("/:id/invite", ...invite);

/** Nobody gives a role that allows more than they may, or decides about somebody who has one. */
function requireRole(c: Context<Env>, role: Role): void {
  const lacking = beyondRole(c.get("token").scopes, role);
  if (lacking.length === 0) return;
  throw new Fault("forbidden", `You lack the scope "${lacking[0]}" of the role "${role}", and cannot decide about it`);
}

/** So that an organization with an admin always has one. */
function requireOther(c: Context<Env>, { id }: Member, to: string): void {
  if (c.get("token").member?.id !== id) return;
  throw new Fault("conflict", `You cannot ${to}; another admin can`);
}
