/** What a signed link lets its holder do with a run. No I/O. */
import { allows } from "./scope.ts";

/** Roles of links that are made by API: a viewer sees the run, an approver may also decide about it. */
export const LINK_ROLES = ["viewer", "approver"] as const;
export type LinkRole = (typeof LINK_ROLES)[number];

/** What the holder of a link may see and do. */
export interface LinkRights {
  /** People's names and values, and the rows of the report; false: only the run's status and counts. */
  readonly people: boolean;
  readonly approve: boolean;
  readonly cancel: boolean;
}

/** The rights of a link for an owner of these scopes; null: no link may be made. */
export function rightsWith(scopes: readonly string[]): LinkRights | null {
  if (!allows(scopes, "runs:read")) return null;
  const approve = allows(scopes, "runs:approve");
  return {
    people: allows(scopes, "users:read"),
    approve,
    cancel: approve && allows(scopes, "runs:write"),
  };
}

/** As rightsWith, within the role. */
export function rightsOfRole(scopes: readonly string[], role: LinkRole): LinkRights | null {
  const rights = rightsWith(scopes);
  return rights !== null && role === "viewer" ? { ...rights, approve: false, cancel: false } : rights;
}
