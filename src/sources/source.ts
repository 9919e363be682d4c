/**
 * A connection's source, ready to be asked: settings read, secrets at hand, `fetch` authorized. What a connector says in
 * the log or in a fault loses the secrets here, whatever the connector does.
 */
import { type Connector, type SourceContext, SourceFault, type SourceFaultKind } from "../connector.ts";
import { Fault, type FaultCode } from "../model/errors.ts";
import type { Hub } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { redact } from "../security/redact.ts";
import { sleep } from "../std/sleep.ts";
import { loadSecrets, TOKENS } from "../store/connections/connection-secrets.ts";
import type { Connection } from "../store/connections/connections.ts";
import { findOrganization } from "../store/organizations.ts";
import { dateIn } from "../std/time.ts";
import { authHeaders, authOf, parseSettings, requiredSecrets } from "./auth.ts";
import { accessToken } from "./oauth.ts";
import { createSourceFetch, type SourceFetchOptions } from "./source-fetch.ts";

export interface SourceOptions {
  readonly signal: AbortSignal;
  /** Waits between attempts; other than the clock's own only in tests. */
  readonly wait?: SourceFetchOptions["wait"];
  /** As for createSourceFetch. */
  readonly maxAttempts?: number;
  /** Goes with each line of the log. */
  readonly about?: Readonly<Record<string, string | null>>;
}

const MAX_LINES = 200;
const MAX_LINE = 500;

/** Fails with `unavailable`, `source_misconfigured` or `secrets_required`. */
export async function openSource(
  hub: Hub,
  connection: Connection,
  { signal, wait = sleep, maxAttempts, about = {} }: SourceOptions,
): Promise<{
  readonly connector: Connector<never>;
  readonly context: SourceContext<never>;
  /** The text without any of the connection's secrets. */
  readonly redact: (text: string) => string;
}> {
  const connector = connectorOf(hub, connection);
  const settings = parseSettings(connector, connection.settings);
  const secrets = await loadSecrets(hub, connection);
  const lacking = requiredSecrets(connector, settings).filter((name) => !Object.hasOwn(secrets, name));
  if (lacking.length > 0) {
    const names = lacking.map((name) => `"${name}"`).join(" and ");
    throw new Fault("secrets_required", `The connection lacks ${names}; set it, and try again`);
  }
  const auth = authOf(connector, settings);
  const hidden = new Set<string>();
  const hide = (text: string) => {
    // What is short stands for something else more often than for itself.
    if (text.length >= 6) hidden.add(text);
  };
  for (const [name, value] of Object.entries(secrets)) if (name !== TOKENS) hide(value);
  const clean = (text: string) => {
    let cleaned = text;
    for (const secret of hidden) cleaned = cleaned.replaceAll(secret, "…").replaceAll(encodeURIComponent(secret), "…");
    return redact(cleaned);
  };
  const constant = authHeaders(auth, settings, secrets);
  for (const value of Object.values(constant ?? {})) hide(value.replace(/^(Basic|Bearer) /, ""));
  let token: string | null = null;
  const authorize: SourceFetchOptions["authorize"] = async (anew) => {
    if (constant !== null) return anew ? null : constant;
    if (auth.kind !== "oauth2") return null;
    token = await accessToken(hub, connection, auth, settings, anew ? token : null);
    if (token === null) return null;
    hide(token);
    return { authorization: `Bearer ${token}` };
  };
  let lines = 0;
  const log = (message: string) => {
    if (lines++ < MAX_LINES) hub.log("source.said", { ...ids(connection), ...about, message: short(clean(message)) });
  };
  const fetch = createSourceFetch({
    outbound: hub.outbound,
    hosts: (connector.hosts?.(settings) ?? []).map((host) => host.toLowerCase()),
    authorize,
    signal,
    now: hub.now,
    wait,
    maxAttempts,
    said: ({ status, againMs }) =>
      hub.log("source.asked_again", { ...ids(connection), ...about, status, again_ms: Math.round(againMs) }),
  });
  const context = {
    settings,
    mapping: { ...connector.mapping, ...connection.mapping },
    onlyStatuses: connection.policy.only_statuses ?? null,
    today: await todayOf(hub, connection),
    fetch,
    signal,
    log,
  };
  return { connector, context, redact: clean };
}

async function todayOf({ db, now }: Hub, { organizationId }: Connection): Promise<string> {
  return dateIn((await findOrganization(db, organizationId))?.timezone ?? "UTC", now());
}

export function connectorOf(hub: Pick<Hub, "registry">, connection: Connection): Connector<never> {
  const connector = hub.registry.get(connection.connector);
  if (connector !== undefined) return connector;
  throw new Fault("unavailable", `The connector "${connection.connector}" is not installed here`);
}

const CODES: Readonly<Record<SourceFaultKind, FaultCode>> = {
  connection: "source_unreachable",
  credentials: "source_refused",
  answer: "source_unreadable",
  settings: "source_misconfigured",
};

/**
 * What a connector threw as the hub's own fault. A SourceFault's words are kept; whatever else it is has words that may
 * quote the source, and so a person.
 */
export function asFault(error: unknown, clean: (text: string) => string): Fault {
  if (error instanceof Fault) return error;
  if (isSourceFault(error)) return new Fault(CODES[error.kind], short(clean(error.message)), { cause: error });
  const name = error instanceof Error ? error.name : typeof error;
  return new Fault("source_unreadable", `The connector could not make sense of the source's answer (${name})`, {
    cause: error,
  });
}

/** A stranger's connector may have been loaded with a copy of the class of its own. */
function isSourceFault(error: unknown): error is SourceFault {
  return error instanceof SourceFault ||
    (error instanceof Error && error.name === "SourceFault" && Object.hasOwn(CODES, (error as SourceFault).kind));
}

function ids({ id, organizationId, connector }: Connection) {
  return { organization_id: encodeId("org", organizationId), connection_id: encodeId("con", id), connector };
}

function short(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
  return line.length <= MAX_LINE ? line : `${line.slice(0, MAX_LINE - 1)}…`;
}
