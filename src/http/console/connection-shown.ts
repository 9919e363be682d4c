/** What a connection's page and its forms have in common: what is loaded, its addresses, and its changes. */
import type { Context } from "hono";
import type { RunView } from "../../model/run.ts";
import type { ConnectionView } from "../api/connection-view.ts";
import type { ConnectorView } from "../api/connectors.ts";
import type { PgpKeyView } from "../api/pgp-keys.ts";
import type { SftpLoginView } from "../api/sftp-logins.ts";
import type { Env } from "../kit/env.ts";
import { pathParameter } from "../kit/load.ts";
import type { Listed } from "./api.ts";
import { pathIn } from "./frame.ts";

/** A connection with what its page shows beside it. */
export interface Shown {
  readonly connection: ConnectionView;
  /** Null: the hub lacks the connector. */
  readonly connector: ConnectorView | null;
  /** Null: the reader may not see runs. */
  readonly runs: Listed<RunView> | null;
  /** Null: its files do not come over Muster's own SFTP server. */
  readonly login: SftpLoginView | null;
  /** Null: it takes no files. */
  readonly pgpKeys: readonly PgpKeyView[] | null;
  /** Path of the page. */
  readonly path: string;
}

/** The address of the connection's page; `path` goes on from there. */
export function connectionPath(c: Context<Env>, slug: string, path = ""): string {
  return pathIn(c, `/connections/${encodeURIComponent(slug)}${path}`);
}

/** The API's address of the connection that the path names. */
export function connectionInApi(c: Context<Env>, path = ""): string {
  return `/v1/connections/${encodeURIComponent(pathParameter(c, "connection"))}${path}`;
}

/** Changes the connection that the path names, and leads to its page. `version`: as the form has shown it. */
export async function patchConnection(c: Context<Env>, body: object, version: string | null): Promise<Response> {
  const { slug } = await c.get("api")!.send<ConnectionView>(connectionInApi(c), { method: "PATCH", body, version });
  return c.redirect(connectionPath(c, slug), 303);
}

export async function listConnectors(c: Context<Env>): Promise<readonly ConnectorView[]> {
  return (await c.get("api")!.read<Listed<ConnectorView>>("/v1/connectors")).data;
}

/** Null: the hub lacks it. */
export function connectorOf(connection: ConnectionView, connectors: readonly ConnectorView[]): ConnectorView | null {
  return connectors.find(({ name }) => name === connection.connector) ?? null;
}
