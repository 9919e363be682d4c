/**
 * Resolves a connector's `auth` for one connection: which secrets it needs, where they are sent, and the headers that they
 * make. No I/O, no clock.
 */
import { type Auth, AUTH_KINDS, type Connector, type Credential } from "../connector.ts";
import { Fault } from "../model/errors.ts";
import { checkSettings } from "../runs/settings.ts";

/** The ways to get tokens without a person. */
export type TokenAuth = Extract<Auth<never>, { kind: "client_credentials" | "jwt_bearer" }>;

/** A connector with settings of any type, which come from `parseSettings`. */
export type AnyConnector = Connector<never>;

/** Fails with `connector_failed` if it is none of the kinds, or names a secret that the connector does not declare. */
export function authOf(connector: AnyConnector, settings: never): Auth<never> {
  const auth = asked(connector, "auth", () => connector.auth?.(settings)) ?? { kind: "none" };
  if (!(AUTH_KINDS as readonly unknown[]).includes(auth?.kind)) {
    throw ofConnector(
      connector,
      `"auth" gives the kind "${String(auth?.kind)}"; it should be ${AUTH_KINDS.join(", ")}`,
    );
  }
  for (const part of credentialsOf(auth)) {
    if (typeof part !== "object" || part === null) {
      throw ofConnector(connector, '"auth" lacks a part of its credentials');
    }
    if ("secret" in part) requireDeclared(connector, "auth", part.secret);
  }
  return auth;
}

/** The hosts that the connector may reach, in lower case. Fails with `connector_failed` if they are not a list of texts. */
export function hostsOf(connector: AnyConnector, settings: never): string[] {
  const hosts: unknown = asked(connector, "hosts", () => connector.hosts?.(settings)) ?? [];
  if (!Array.isArray(hosts) || hosts.some((host) => typeof host !== "string" || host === "")) {
    throw ofConnector(connector, '"hosts" should give a list of host names');
  }
  return hosts.map((host: string) => host.toLowerCase());
}

/** Names of the secrets without which the source cannot be read. */
export function requiredSecrets(connector: AnyConnector, settings: never): string[] {
  if (connector.requiredSecrets !== undefined) {
    const names = [...asked(connector, "requiredSecrets", () => connector.requiredSecrets!(settings))];
    for (const name of names) requireDeclared(connector, "requiredSecrets", name);
    return names;
  }
  return credentialsOf(authOf(connector, settings)).flatMap((part) => "secret" in part ? [part.secret] : []);
}

function requireDeclared(connector: AnyConnector, from: string, secret: string): void {
  if (Object.hasOwn(connector.secrets ?? {}, secret)) return;
  throw ofConnector(connector, `"${from}" names the secret "${secret}", which is not among its "secrets"`);
}

/** Runs a function of the connector. What it throws is not shown: it may quote a setting. */
function asked<T>(connector: AnyConnector, name: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const what = cause instanceof Error ? cause.name : typeof cause;
    throw new Fault("connector_failed", `"${name}" of the connector "${connector.name}" throws (${what})`, { cause });
  }
}

function ofConnector({ name }: AnyConnector, what: string): Fault {
  return new Fault("connector_failed", `The connector "${name}" has an error of its own: ${what}`);
}

function credentialsOf(auth: Auth<never>): Credential[] {
  switch (auth.kind) {
    case "none":
      return [];
    case "basic":
      return [auth.username, auth.password];
    case "bearer":
      return [auth.token];
    case "header":
      return [auth.value];
    case "oauth2":
    case "client_credentials":
      return [auth.clientId, auth.clientSecret];
    case "jwt_bearer":
      return [auth.issuer, auth.privateKey, auth.subject, auth.keyId, auth.clientId, auth.clientSecret]
        .filter((part) => part !== undefined);
  }
}

/** The URL that gives tokens without a person. Fails with `connector_failed` if its host is not among the connector's. */
export function tokenUrlOf(connector: AnyConnector, auth: TokenAuth, settings: never): string {
  const url: unknown = asked(connector, "tokenUrl", () => auth.tokenUrl(settings));
  if (typeof url !== "string" || !URL.canParse(url)) throw ofConnector(connector, '"tokenUrl" gives no URL');
  if (!hostsOf(connector, settings).includes(new URL(url).host)) {
    throw ofConnector(connector, `its tokens come from "${new URL(url).host}", which is not among its "hosts"`);
  }
  return url;
}

export function isTokenAuth(auth: Auth<never>): auth is TokenAuth {
  return auth.kind === "client_credentials" || auth.kind === "jwt_bearer";
}

/**
 * All hosts and URLs that the connection's secrets are sent to, as text that can be compared; null: the settings are not
 * valid, so it is not known.
 */
export function destinationsOf(connector: AnyConnector, stored: Readonly<Record<string, unknown>>): string | null {
  const checked = checkSettings(connector, stored);
  if ("issues" in checked) return null;
  const settings = checked.settings as never;
  const auth = authOf(connector, settings);
  const urls = auth.kind === "oauth2"
    ? [auth.authorizationUrl(settings), auth.tokenUrl(settings)]
    : isTokenAuth(auth)
    ? [tokenUrlOf(connector, auth, settings)]
    : [];
  return JSON.stringify([hostsOf(connector, settings).sort(), urls]);
}

/** One part of the credentials. Fails with `secrets_required` or `source_misconfigured` if it is missing. */
export function credential(
  part: Credential,
  settings: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, string>>,
): string {
  if ("text" in part) return part.text;
  if ("secret" in part) {
    if (Object.hasOwn(secrets, part.secret)) return secrets[part.secret]!;
    throw new Fault("secrets_required", `The secret "${part.secret}" of the connection is not set; set it`);
  }
  const value = settings[part.setting];
  if (typeof value === "string" && value !== "") return value;
  throw new Fault("source_misconfigured", `The connection's setting "${part.setting}" is not set; its source needs it`);
}

/** The headers that authorize a request; null where they have a token that changes. */
export function authHeaders(
  auth: Auth<never>,
  settings: Readonly<Record<string, unknown>>,
  secrets: Readonly<Record<string, string>>,
): Record<string, string> | null {
  const part = (each: Credential) => credential(each, settings, secrets);
  switch (auth.kind) {
    case "none":
      return {};
    case "basic":
      return { authorization: `Basic ${toBase64(`${part(auth.username)}:${part(auth.password)}`)}` };
    case "bearer":
      return { authorization: `Bearer ${part(auth.token)}` };
    case "header":
      return { [auth.name.toLowerCase()]: part(auth.value) };
    case "oauth2":
    case "client_credentials":
    case "jwt_bearer":
      return null;
  }
}

/** In UTF-8 (RFC 7617). */
function toBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
