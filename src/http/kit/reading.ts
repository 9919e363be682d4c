/**
 * What a request may see of a run. Values of people need `users:read`; rows of an input are shown to the token that
 * sent it, too; the outcome is shown to every token that may read runs.
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

/** Whether the request may see values of all people. */
export function readsPeople(c: Context<Env>): boolean {
  return allows(c.get("token").scopes, "users:read");
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
