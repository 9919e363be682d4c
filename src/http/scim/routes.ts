/**
 * SCIM 2.0 (RFC 7643, 7644) below `/scim/v2/{connection}`: an identity provider keeps the people and groups of one
 * connection. All refusals have the RFC's form.
 */
import { Hono } from "hono";
import { serviceProviderConfig } from "../../scim/discovery.ts";
import { authenticate } from "../kit/authorize.ts";
import type { Env } from "../kit/env.ts";
import { limitLogins, limitRequests } from "../kit/limits.ts";
import { pathParameter } from "../kit/load.ts";
import { answer, answerError } from "./answer.ts";
import { baseOf, openConnection } from "./context.ts";
import { discoveryRoutes } from "./discovery.ts";
import { groupRoutes } from "./groups.ts";
import { SCIM } from "./marked.ts";
import { searchRoutes } from "./search.ts";
import { userRoutes } from "./users.ts";

export function scimRoutes(): Hono<Env> {
  const routes = new Hono<Env>();
  routes.onError(answerError);
  // Providers look at it before they have a token (RFC 7643, section 5). It is the same for all connections.
  routes.get(
    "/:connection/ServiceProviderConfig",
    SCIM,
    (c) => answer(c, serviceProviderConfig(baseOf(c, pathParameter(c, "connection")))),
  );
  routes.use("/:connection/*", limitLogins, authenticate, limitRequests, openConnection);
  routes.route("/:connection/Users", userRoutes);
  routes.route("/:connection/Groups", groupRoutes);
  routes.route("/:connection", searchRoutes);
  routes.route("/:connection", discoveryRoutes);
  return routes;
}
