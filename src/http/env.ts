/** What a request carries from the boundary to its handler. */
import type { WatchedBody } from "./watched-body.ts";
import type { Hub } from "../hub.ts";
import type { Organization } from "../store/organizations.ts";
import type { Token } from "../store/tokens.ts";

export interface Env {
  /** What the door knows of a request beside the request. */
  Bindings: { readonly address?: string | null };
  Variables: {
    hub: Hub;
    /** Named in every answer and every line of the log. */
    requestId: string;
    /** Who asks. */
    token: Token;
    /** Where it acts; its id goes into every query. */
    organization: Organization;
    /** Where the body's digest is needed: what is read instead of the request's own (watched-body.ts). */
    watchedBody?: WatchedBody;
  };
}
