/** What a token may do. No I/O. */

export const SCOPES = [
  "users:read",
  "users:write",
  "users:erase",
  "connections:read",
  "connections:write",
  "drops:write",
  /** Of what they have sent themselves; `runs:read` includes it. */
  "runs:own",
  "runs:read",
  "runs:write",
  "runs:approve",
  "webhooks:read",
  "webhooks:write",
  "tokens:write",
  "audit:read",
  /** Of one connection, whose people an identity provider keeps. */
  "scim",
  "bridge",
  "admin",
  "operator",
] as const;

export type Scope = (typeof SCOPES)[number];

/** Scopes beyond one organization: `admin` does not include them, and only an operator can grant them. */
const BEYOND_ORGANIZATION: readonly Scope[] = ["bridge", "operator"];

/** Whether a token with `granted` may do what needs `scope`. */
export function allows(granted: readonly string[], scope: Scope): boolean {
  return granted.includes(scope) || (granted.includes("admin") && !BEYOND_ORGANIZATION.includes(scope)) ||
    (scope === "runs:own" && granted.includes("runs:read"));
}

/** The scopes among `wanted` that a token with `granted` may not grant. */
export function beyond(granted: readonly string[], wanted: readonly Scope[]): Scope[] {
  return wanted.filter((scope) =>
    BEYOND_ORGANIZATION.includes(scope) ? !granted.includes("operator") : !allows(granted, scope)
  );
}

/** Scopes that limit what a receiver is sent, and what links in it allow. */
const SENT_BY: readonly Scope[] = ["users:read", "runs:read", "runs:write", "runs:approve"];

/** Scopes that allow a receiver with `theirs` to be sent something that a reader with `granted` may not see. */
export function lacksToSee(granted: readonly string[], theirs: readonly string[]): Scope[] {
  return SENT_BY.filter((scope) => allows(theirs, scope) && !allows(granted, scope));
}
