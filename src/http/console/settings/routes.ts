/** The pages of an organization's settings. */
import { Hono } from "hono";
import type { Env } from "../../kit/env.ts";
import { askForToken, askToRevoke, makeToken, revokeToken, showTokens } from "./tokens.ts";

export const settingsRoutes: Hono<Env> = new Hono<Env>()
  .get("/tokens", ...showTokens)
  .post("/tokens", ...makeToken)
  .get("/tokens/new", ...askForToken)
  .get("/tokens/:id/revoke", ...askToRevoke)
  .post("/tokens/:id/revoke", ...revokeToken);
