/**
 * What `connections:write` alone does not allow: to loosen the limits that protect people from an input, and to change
 * the source of a connection. Both need `runs:approve`.
 */
import type { Context } from "hono";
import type { Connector } from "../../connector.ts";
import { Fault } from "../../model/errors.ts";
import { destinationsOf } from "../../sources/auth.ts";
import { GUARD_NAMES, isLooser, resolveGuards } from "../../model/guards.ts";
import type { ResolvedPolicy } from "../../model/policy.ts";
import { resolvePolicy } from "../../runs/stage.ts";
import { allows } from "../../model/scope.ts";
import type { Connection } from "../../store/connections/connections.ts";
import type { Env } from "../kit/env.ts";

/** Fails with `forbidden` unless the token may approve runs. `what` is the refused action, as a noun. */
export function requireDecider(c: Context<Env>, what: string): void {
  if (allows(c.get("token").scopes, "runs:approve")) return;
  throw new Fault("forbidden", `The token lacks the scope "runs:approve", which is needed for ${what}`);
}

/** The parts of a connection that protect people from its inputs. */
export type Guarded = Pick<Connection, "connector" | "connectorDigest" | "preset" | "policy" | "limits">;

/** The first thing that would be looser than before, as a noun; null: nothing. */
export function loosened(c: Context<Env>, before: Guarded, after: Guarded): string | null {
  const old = resolveGuards(before.limits), guards = resolveGuards(after.limits);
  const looser = GUARD_NAMES.find((name) => isLooser(old[name], guards[name]));
  if (looser !== undefined) return `a looser guard "${looser}"`;
  return loosenedPolicy(resolvePolicy(before, c.get("hub")), resolvePolicy(after, c.get("hub")));
}

function loosenedPolicy(before: ResolvedPolicy, after: ResolvedPolicy): string | null {
  if (before.signature === "required" && after.signature !== "required") return "accepting unsigned files";
  if ([...before.protected].some((user) => !after.protected.has(user))) return "removing a protected person";
  if (before.pick !== "all" && after.pick === "all") return "taking all files that wait together as one";
  for (const kind of ["create", "update", "deactivate", "reactivate"] as const) {
    if (!before[kind] && after[kind]) return `enabling "${kind}"`;
  }
  for (const grace of ["missing_after_runs", "missing_after_hours"] as const) {
    if (after[grace] < before[grace]) return `a shorter "${grace}"`;
  }
  return null;
}

/** Fails when the settings name another source than before. `before` is null for a new connection. */
export function requireSameSource(
  c: Context<Env>,
  connector: Connector<never>,
  before: Readonly<Record<string, unknown>> | null,
  after: Readonly<Record<string, unknown>>,
): void {
  if (before === null ? isFedByHand(connector, after) : sourceOf(connector, before) === sourceOf(connector, after)) {
    return;
  }
  requireDecider(c, "setting the source of a connection");
}

/** Whether all input is uploaded with a token, or with the connection's own SFTP login. */
function isFedByHand(connector: Connector<never>, settings: Readonly<Record<string, unknown>>): boolean {
  return connector.input === "drop" && settings.mode !== "remote";
}

/** Equal for equal sources: the same address, and the same identity there. */
function sourceOf(connector: Connector<never>, settings: Readonly<Record<string, unknown>>): string {
  const { mode = "hosted", username = null, host_key = null } = settings;
  return JSON.stringify([destinationsOf(connector, settings), mode, username, host_key]);
}
