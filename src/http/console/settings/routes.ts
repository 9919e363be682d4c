/** The pages of an organization's settings. */
import { Hono } from "hono";
import type { Env } from "../../kit/env.ts";
import {
  askToRemove,
  changeMember,
  inviteAgain,
  inviteMember,
  removeMember,
  showMember,
  showMembers,
} from "./members.ts";

export const settingsRoutes: Hono<Env> = new Hono<Env>()
  .get("/members", ...showMembers)
  .post("/members", ...inviteMember)
  .get("/members/:id", ...showMember)
  .post("/members/:id", ...changeMember)
  .post("/members/:id/invite", ...inviteAgain)
  .get("/members/:id/remove", ...askToRemove)
  .post("/members/:id/remove", ...removeMember);
