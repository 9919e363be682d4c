/** What scopes allow, for people. No I/O. */
import type { Scope } from "../../model/scope.ts";

export const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  "users:read": "see people and departments",
  "users:write": "change people, departments and custom fields by hand",
  "users:erase": "erase people for good",
  "connections:read": "see connections",
  "connections:write": "change connections",
  "drops:write": "send files and records",
  "runs:own": "see runs of what they have sent",
  "runs:read": "see runs",
  "runs:write": "start, cancel and revert runs",
  "runs:approve": "approve runs, and loosen what protects people",
  "webhooks:read": "see webhooks and what was sent to them",
  "webhooks:write": "change webhooks",
  "tokens:write": "see, make and revoke tokens",
  "audit:read": "read the audit",
  "scim": "keep the people of one connection by SCIM",
  "bridge": "be an SFTP bridge",
  "admin": "everything in this organization",
  "operator": "make organizations, and act in all of them",
};

/** `See runs, send files and records`. A scope that is not known any more is named as it is. */
export function scopesInWords(scopes: readonly string[]): string {
  const words = scopes.map((scope) => SCOPE_WORDS[scope as Scope] ?? scope).join("; ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
