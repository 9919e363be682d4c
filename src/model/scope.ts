/** What a token may do. No I/O. */

export const SCOPES = [
  "users:read",
  "users:write",
  "users:erase",
  "connections:read",
  "connections:write",
  "drops:write",
  "runs:read",
  "runs:write",
  "runs:approve",
  "webhooks:read",
  "webhooks:write",
  "tokens:write",
  "audit:read",
  "bridge",
  "admin",
  "operator",
] as const;

export type Scope = (typeof SCOPES)[number];

/** Scopes that reach beyond one organization: `admin` does not hold them, and only an operator hands them on. */
const BEYOND_ORGANIZATION: readonly Scope[] = ["bridge", "operator"];

/** Whether someone with `granted` may do what needs `scope`. */
export function allows(granted: readonly string[], scope: Scope): boolean {
  return granted.includes(scope) || (granted.includes("admin") && !BEYOND_ORGANIZATION.includes(scope));
}

/** The scopes among `wanted` that someone with `granted` may not hand on. */
export function beyond(granted: readonly string[], wanted: readonly Scope[]): Scope[] {
  return wanted.filter((scope) =>
    BEYOND_ORGANIZATION.includes(scope) ? !granted.includes("operator") : !allows(granted, scope)
  );
}

/** Scopes that bound what somebody is sent, and what a link that they are sent allows. */
const SENT_BY: readonly Scope[] = ["users:read", "runs:read", "runs:write", "runs:approve"];

/** Of what may be sent to someone with `theirs`, the scopes that someone with `granted` lacks. */
export function lacksToSee(granted: readonly string[], theirs: readonly string[]): Scope[] {
  return SENT_BY.filter((scope) => allows(theirs, scope) && !allows(granted, scope));
}
