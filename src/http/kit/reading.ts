/**
 * What a request may see of a run. Values of people need `users:read`; rows of an input are shown to the token that
 * sent it, too; the outcome is shown to every token that may read runs. Who may read only their own runs sees whom these
 * change, too.
 */
import type { Context } from "hono";
import { actorOf } from "../../model/audit.ts";
import { Fault } from "../../model/errors.ts";
import { withoutQuotes } from "../../model/quoting.ts";
import { allows } from "../../model/scope.ts";
import { type StoredRun, viewRun } from "../../store/runs/runs.ts";
import type { RunView } from "../../model/run.ts";
import { byOf } from "./authorize.ts";
import type { Env } from "./env.ts";
import { pathParameter } from "./load.ts";

/** Whether the request may see values of all people. */
export function readsPeople(c: Context<Env>): boolean {
  return allows(c.get("token").scopes, "users:read");
}

/** The sender whose runs are all that the request may see; null: it may see those of others. */
export function onlySender(c: Context<Env>): string | null {
  const { scopes } = c.get("token");
  return scopes.includes("runs:own") && !allows(scopes, "runs:read") ? actorOf(byOf(c)) : null;
}

/** Fails with `not_found` if the request may not see that there is such a drop, or a run of it. `noun`: what it asked for. */
export function requireSeen(
  c: Context<Env>,
  noun: "run" | "drop",
  drop: { readonly sentBy: string | null } | null,
): void {
  const sender = onlySender(c);
  if (sender === null || drop?.sentBy === sender) return;
  throw new Fault("not_found", `There is no ${noun} "${pathParameter(c, "id")}"`);
}

/** Whether the request may see the rows of a drop. */
export function readsInput(c: Context<Env>, drop: { readonly sentBy: string | null } | null): boolean {
  return readsPeople(c) || drop?.sentBy === actorOf(byOf(c));
}

/** Fails with `forbidden` if the request may not see the rows of the drop. */
export function requireInput(c: Context<Env>, drop: { readonly sentBy: string | null } | null): void {
  if (readsInput(c, drop)) return;
  throw new Fault(
    "forbidden",
    `The token lacks the scope "users:read", which is needed to read input that it did not upload itself`,
  );
}

/** The run as the request may see it. */
export function viewRunFor(c: Context<Env>, found: StoredRun): RunView {
  const view = viewRun(found);
  return readsInput(c, found.drop) ? view : { ...view, error: withoutQuotes(view.error) };
}
