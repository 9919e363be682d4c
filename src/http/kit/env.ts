/** What a request carries from the boundary to its handler. */
import type { By } from "../../model/audit.ts";
import type { Bridge } from "../../store/bridges/bridges.ts";
import type { WatchedBody } from "./watched-body.ts";
import type { Hub } from "../../hub.ts";
import type { Organization } from "../../store/organizations.ts";

/** Who holds what a request was sent with. */
export interface Bearer {
  /** `own`: the bridge inside the hub's own process. */
  readonly kind: "token" | "openid" | "own";
  /** One for each holder, and never two: the token's public id, `openid:` and the issuer's subject, or `bridge`. */
  readonly key: string;
  /** The number of a stored token; null: there is none behind it. */
  readonly id: number | null;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly organizationId: number;
  /** Of a bridge's token: the organizations that it may serve; null: every one. */
  readonly serves: readonly number[] | null;
}

export interface Env {
  /** What the door knows of a request beside the request. */
  Bindings: { readonly address?: string | null };
  Variables: {
    hub: Hub;
    /** Named in every answer and every line of the log. */
    requestId: string;
    /** Who asks. */
    token: Bearer;
    /** Who asks, as the audit says it. */
    by: By;
    /** Where it acts; its id goes into every query. */
    organization: Organization;
    /** The bridge that asks, its key confirmed (http/bridge/caller.ts). */
    bridge?: Bridge;
    /** Where the body's digest is needed: what is read instead of the request's own (watched-body.ts). */
    watchedBody?: WatchedBody;
  };
}
