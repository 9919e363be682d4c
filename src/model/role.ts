/** What members of an organization may do: a role is a list of scopes. No I/O. */
import { allows, type Scope } from "./scope.ts";

/** From the least to the most. */
export const ROLE_NAMES = ["uploader", "viewer", "approver", "admin"] as const;

export type Role = (typeof ROLE_NAMES)[number];

const VIEW: readonly Scope[] = ["users:read", "connections:read", "runs:read"];

/** `may`: after "you can", in the words of the console. */
export const ROLES: Readonly<Record<Role, { readonly may: string; readonly scopes: readonly Scope[] }>> = {
  uploader: {
    may: "upload files, and see and correct what became of them",
    scopes: ["connections:read", "drops:write", "runs:own"],
  },
  viewer: { may: "see where people come from, the runs and the people", scopes: VIEW },
  approver: {
    may: "see everything, upload files, and approve, cancel and take back runs",
    scopes: [...VIEW, "drops:write", "runs:write", "runs:approve"],
  },
  admin: { may: "do everything in the organization, and decide who else may", scopes: ["admin"] },
};

/** The scopes of the role that somebody with `granted` does not have, and therefore cannot give. */
export function beyondRole(granted: readonly string[], role: Role): Scope[] {
  return ROLES[role].scopes.filter((scope) => !allows(granted, scope));
}
