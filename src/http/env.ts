/** What a request carries from the boundary to its handler. */
import type { By } from "../audit.ts";
import type { Hub } from "../hub.ts";
import type { Organization } from "../store/organizations.ts";

/** Who holds what a request was sent with. */
export interface Bearer {
  readonly kind: "token" | "openid";
  /** One for each holder, and never two: the token's public id, or `openid:` and the issuer's subject. */
  readonly key: string;
  /** The number of a stored token; null: there is none behind it. */
  readonly id: number | null;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly organizationId: number;
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
  };
}
