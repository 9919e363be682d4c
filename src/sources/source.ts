/**
 * Opens a connection's source: its settings parsed, its secrets loaded, its `fetch` authorized. Secrets are removed here
 * from everything that a connector logs or throws.
 */
import { type SourceContext, SourceFault, type SourceFaultKind } from "../connector.ts";
import { Fault, type FaultCode } from "../model/errors.ts";
import { connectorOf, type Hub, type Installed, OWNER } from "../hub.ts";
import { encodeId } from "../model/id.ts";
import { redact as redactTokens } from "../security/redact.ts";
import { sleep } from "../std/sleep.ts";
import { loadSecrets, TOKENS } from "../store/connections/connection-secrets.ts";
import type { Connection } from "../store/connections/connections.ts";
import { findOrganization } from "../store/organizations.ts";
import { nameOf, placeOf } from "../std/place-of.ts";
import { dateIn } from "../std/time.ts";
import { parseSettings, prepareSettings } from "../runs/settings.ts";
import { authHeaders, authOf, hostsOf, isTokenAuth, requiredSecrets, tokenUrlOf } from "./auth.ts";
import { grantedToken } from "./granted-token.ts";
import { accessToken } from "./oauth.ts";
import { createSourceFetch, type SourceFetchOptions } from "./source-fetch.ts";

export interface SourceOptions {
  readonly signal: AbortSignal;
  /** Waits between attempts; tests replace it. */
  readonly wait?: SourceFetchOptions["wait"];
  /** Including the first one; 6 by default. */
  readonly maxAttempts?: number;
  /** Added to each line of the log. */
  readonly about?: Readonly<Record<string, string | null>>;
}

const MAX_LINES = 200;
const MAX_LINE = 500;

export interface OpenSource {
  readonly connector: Installed;
  readonly context: SourceContext<never>;
  /** Removes the connection's secrets from the text, and what looks like one. */
  readonly redact: (text: string) => string;
  /** Removes the connection's secrets alone, also where they are quoted as JSON. For what is kept as data. */
  readonly hide: (text: string) => string;
}

/** Fails with `connector_missing`, `source_misconfigured` or `secrets_required`. */
export async function openSource(
  hub: Hub,
  connection: Connection,
  { signal, wait = sleep, maxAttempts, about = {} }: SourceOptions,
): Promise<OpenSource> {
  const connector = connectorOf(hub, connection);
  await prepareSettings(connector, connection.settings);
  const settings = parseSettings(connector, connection.settings);
  const secrets = await loadSecrets(hub, connection);
  const lacking = requiredSecrets(connector, settings).filter((name) => !Object.hasOwn(secrets, name));
  if (lacking.length > 0) {
    const names = lacking.map((name) => `"${name}"`).join(" and ");
    throw new Fault("secrets_required", `The connection lacks ${names}; set it, and try again`);
  }
  const { hide, redact, without } = createRedactor();
  for (const [name, value] of Object.entries(secrets)) if (name !== TOKENS) hide(value);
  const logged = { ...ids(connection), ...about };
  let lines = 0;
  const context = {
    [OWNER]: String(connection.organizationId),
    settings,
    mapping: { ...connector.mapping, ...connection.mapping },
    onlyStatuses: connection.policy.only_statuses ?? null,
    today: await todayOf(hub, connection),
    fetch: createSourceFetch({
      outbound: hub.outbound,
      hosts: hostsOf(connector, settings),
      authorize: createAuthorize(hub, connection, settings, secrets, hide),
      signal,
      now: hub.now,
      wait,
      maxAttempts,
      onRetry: ({ status, againMs }) =>
        hub.log("source.asked_again", { ...logged, status, again_ms: Math.round(againMs) }),
    }),
    signal,
    log(message: string) {
      if (lines++ < MAX_LINES) hub.log("source.said", { ...logged, message: short(redact(message)) });
    },
  };
  return { connector, context, redact, hide: without };
}

/** The headers that authorize each request. Passes what they contain to `hide`. */
function createAuthorize(
  hub: Hub,
  connection: Connection,
  settings: never,
  secrets: Readonly<Record<string, string>>,
  hide: (text: string) => void,
): SourceFetchOptions["authorize"] {
  const auth = authOf(connectorOf(hub, connection), settings);
  const constant = authHeaders(auth, settings, secrets);
  for (const value of Object.values(constant ?? {})) hide(value.replace(/^(Basic|Bearer) /, ""));
  let token: string | null = null;
  return async (anew) => {
    if (constant !== null) return anew ? null : constant;
    const refused = anew ? token : null;
    if (isTokenAuth(auth)) {
      const tokenUrl = tokenUrlOf(connectorOf(hub, connection), auth, settings);
      token = await grantedToken(hub, connection, { auth, tokenUrl, settings, secrets }, refused);
    } else if (auth.kind === "oauth2") token = await accessToken(hub, connection, auth, settings, refused);
    if (token === null) return null;
    hide(token);
    return { authorization: `Bearer ${token}` };
  };
}

/** Removes from texts what was passed to `hide`, also where it is URL-encoded, or quoted as JSON. */
export function createRedactor() {
  const hidden = new Set<string>();
  function without(text: string): string {
    for (const secret of hidden) text = text.replaceAll(secret, "…");
    return text;
  }
  return {
    hide(text: string): void {
      // A short text occurs by chance more often than as the secret.
      if (text.length < 6) return;
      for (const form of [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]) hidden.add(form);
    },
    redact: (text: string) => redactTokens(without(text)),
    without,
  };
}

async function todayOf({ db, now }: Hub, { organizationId }: Connection): Promise<string> {
  return dateIn((await findOrganization(db, organizationId))?.timezone ?? "UTC", now());
}

const CODES: Readonly<Record<SourceFaultKind, FaultCode>> = {
  connection: "source_unreachable",
  credentials: "source_refused",
  answer: "source_unreadable",
  settings: "source_misconfigured",
};

/**
 * Turns what a connector threw into a Fault. Only the message of a SourceFault is used: other messages may quote the
 * source, and so a person. What is neither that nor an answer that is no JSON is the connector's own error.
 */
export function asFault(error: unknown, source: Pick<OpenSource, "connector" | "redact"> | null): Fault {
  if (error instanceof Fault) return error;
  const redact = source?.redact ?? redactTokens;
  if (isSourceFault(error)) return new Fault(CODES[error.kind], short(redact(error.message)), { cause: error });
  if (error instanceof SyntaxError) {
    return new Fault("source_unreadable", "The source's answer is not what the connector can read (SyntaxError)", {
      cause: error,
    });
  }
  const at = placeOf(error);
  const what = at === null ? nameOf(error) : `${nameOf(error)} at ${at}`;
  const whose = source === null ? "The connector" : `The connector "${source.connector.title}"`;
  return new Fault(
    "connector_failed",
    `${whose} has an error of its own (${what}); report it to the people who maintain the connector`,
    { cause: error },
  );
}

/** A third-party connector may have loaded its own copy of the class. */
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
