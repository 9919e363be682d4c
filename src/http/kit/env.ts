/** What middleware sets on a request for its handler. */
import type { By } from "../../model/audit.ts";
import type { Bridge } from "../../store/bridges/bridges.ts";
import type { Connection } from "../../store/connections/connections.ts";
import type { WatchedBody } from "./watched-body.ts";
import type { Hub } from "../../hub.ts";
import type { Member } from "../../store/members.ts";
import type { Session } from "../../store/sessions.ts";
import type { Organization } from "../../store/organizations.ts";

/** The holder of the token that a request was sent with, or the member whom the console sent it for. */
export interface Bearer {
  /** `own`: the bridge inside the hub's own process. */
  readonly kind: "token" | "member" | "openid" | "own";
  /** Unique to the holder: the public id of the token or member, `openid:` and the issuer's subject, or `bridge`. */
  readonly key: string;
  /** The number of the stored token; null: there is none. */
  readonly id: number | null;
  /** Absent: it is no member. */
  readonly member?: Pick<Member, "id" | "email" | "role">;
  readonly name: string | null;
  readonly scopes: readonly string[];
  readonly organizationId: number;
  /** The organizations that a bridge's token may serve; null: all. */
  readonly serves: readonly number[] | null;
  /** The one connection that it may be used for; absent or null: any. */
  readonly connectionId?: number | null;
}

/** Somebody who is signed in to the console. */
export interface Visitor {
  readonly session: Session;
  /** The token, or the member, that they signed in as. */
  readonly bearer: Bearer;
  /** Carried by each form (security/session.ts). */
  readonly formToken: string;
}

/** A request that changes something. */
export interface Sending {
  readonly method: "POST" | "PATCH" | "PUT" | "DELETE";
  readonly body?: unknown;
  /** Of what is changed, as the page has shown it; absent: any. */
  readonly version?: string | null;
  /** By which a form that is sent again is recognized: it is done once. */
  readonly once?: string | null;
}

/** The API, as the console's pages ask it in the organization of the page. */
export interface Api {
  /** The answer as it is, refusals too. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The JSON of the answer. Fails as the API did. */
  read<Shape>(path: string, init?: RequestInit): Promise<Shape>;
  /** Sends JSON, and gives that of the answer; null where it has none. Fails as the API did. */
  send<Shape>(path: string, sending: Sending): Promise<Shape>;
}

export interface Env {
  /** What the HTTP server knows about a request in addition to the request. */
  Bindings: { readonly address?: string | null };
  Variables: {
    hub: Hub;
    /** The hub without the fence of a bridge's lease (bridge/caller.ts). */
    hubOfBridge?: Hub;
    /** Named in every answer and every line of the log. */
    requestId: string;
    token: Bearer;
    /** The actor, for the audit. */
    by: By;
    /** The organization that the request acts in. Its id is in every query. */
    organization: Organization;
    /** The calling bridge, whose key is confirmed (http/bridge/caller.ts). */
    bridge?: Bridge;
    /** The connection whose SCIM is asked (scim/context.ts). */
    connection?: Connection;
    /** Who is signed in to the console (console/visitor.ts). */
    visitor?: Visitor;
    /** The API for them (console/api.ts). */
    api?: Api;
    /** Set if the body's digest is needed; handlers then read this body (watched-body.ts). */
    watchedBody?: WatchedBody;
  };
}
