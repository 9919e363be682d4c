/**
 * What of a run a request may see: values of people with `users:read`, rows of an input by the token that sent
 * them in, and what became of it by everybody who may see runs.
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

/** Whether the request may see everybody. */
export function readsPeople(c: Context<Env>): boolean {
  return allows(c.get("token").scopes, "users:read");
}

/** Whether it may see the rows of an input: `handedInBy` as `actorOf` gives it. */
export function readsInput(c: Context<Env>, drop: { readonly handedInBy: string | null } | null): boolean {
  return readsPeople(c) || drop?.handedInBy === actorOf(byOf(c));
}

/** Fails with `forbidden` where it may not. */
export function requireInput(c: Context<Env>, drop: { readonly handedInBy: string | null } | null): void {
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
